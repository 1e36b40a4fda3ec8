"""What a worker elsewhere is given in the same form in a container and in a pod; `pipeline.worker.given` reads it.

Pure. Must not know what a daemon or a cluster makes of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol

from attrs import evolve

from pipeline.model.images import Places


def scratch_of(places: Places) -> str:
    """Where a worker keeps logs and what is not delivered: a volume, so that it can be read when all has ended."""
    return f"{places.runtime}/scratch"


class Secretive(Protocol):
    """Terms of whatever place, with what is only sent to workers."""

    @property
    def env(self) -> Mapping[str, Mapping[str, str]]:
        """Environment of the tests, by suite."""

    @property
    def store_env(self) -> Mapping[str, str]:
        """Of the store's client."""


def settled(terms: Any) -> Any:
    """The same `Secretive` terms with what opens the store from now on. Raises `EngineError`."""
    return terms if terms.ask_store is None else evolve(terms, store_env=terms.ask_store())


def secrets_line(terms: Secretive) -> bytes:
    """What a worker reads from its standard input, or in a pod from a file."""
    env = {suite: dict(values) for suite, values in terms.env.items()}
    return json.dumps({"env": env, "store": dict(terms.store_env)}).encode("ascii") + b"\n"
