"""Ask an interpreter of the agent what it is and what is installed for it. Changes nothing."""

from __future__ import annotations

import json
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Any

from pipeline.adapters.installed import interpreter_digest
from pipeline.errors import EngineError
from pipeline.model.environments import Installation, Installed

SCRIPT = Path(__file__).parent.parent / "harness" / "installed_distributions.py"


def installation_of(python: str) -> Installation:
    """What that interpreter has; asked again once something was installed. Raises `EngineError` when it does not answer."""
    return _asked(python, interpreter_digest(python))


@lru_cache(maxsize=16)
def _asked(python: str, _state: str) -> Installation:
    try:
        done = subprocess.run(
            [python, str(SCRIPT)], capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL, check=False
        )
        told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except (OSError, ValueError, IndexError, subprocess.SubprocessError) as error:
        raise EngineError(f"{python!r} does not say what is installed: {error}") from error
    return Installation(
        python=python,
        version=tuple(told["version"]),
        machine=told["machine"],
        system=told["system"],
        libc=told["libc"].strip("-"),
        prefix=told["prefix"],
        scripts=told["scripts"],
        packages=tuple(told["packages"]),
        distributions=tuple(_installed(one) for one in told["distributions"]),
        cache_tag=told["cache_tag"] or "",
    )


def _installed(told: dict[str, Any]) -> Installed:
    return Installed(
        name=told["name"],
        version=told["version"],
        home=told["home"],
        files=tuple(told["files"]),
        origin=told["origin"],
    )
