"""`artifacts`: have in the cache all that images are made of: wheels of locks, results of recipes and of the user's tasks.

Leaves `build/artifacts/artifacts.json`: what was found, fetched or made, and why. Must not know how any of it is done.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from pipeline.graph.catalog import Catalog
from pipeline.graph.task import Action, Digest, Handle, TaskSpec

DOC = "fetch dependencies and make artifacts for the images, or find them in the cache"


class Provider(Protocol):
    """Who provides what images are made of."""

    def tasks(self) -> Sequence[str]:
        """Tasks of the user's that make artifacts or settle their settings."""

    def decisive(self) -> Digest:
        """Digests of all that decides what is provided."""

    def provide(self, stop: Any) -> Mapping[str, Any]:
        """Provide all: a JSON report with a list for each of `wheels`, `artifacts` and `layers`. Raises `FleetError`."""


def register(catalog: Catalog, provider: Provider, build: Callable[[], Path], exists: Callable[[], bool]) -> Handle:
    """Add the task; `exists` says whether workers run images."""
    return catalog.add("artifacts", lambda: _spec(provider, build()), doc=DOC, exists=exists)


def _spec(provider: Provider, build: Path) -> TaskSpec:
    report = build / "artifacts" / "artifacts.json"
    return TaskSpec(
        name="artifacts",
        actions=(Action(provide, {"provider": provider, "report": report}),),
        needs=tuple(provider.tasks()),
        digest=provider.decisive,
        targets=(report,),
    )


def provide(provider: Provider, report: Path, stop: Any) -> dict[str, Any]:
    """Provide all and write the report. Layers are named by what decides their bytes."""
    told = provider.provide(stop)
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    return {"layers": {layer["name"]: layer["key"] for layer in told["layers"]}}
