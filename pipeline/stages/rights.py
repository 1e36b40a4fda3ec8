"""`rights`: the manifest that grants the agent what it needs in a cluster, for `kubectl apply`. Prints nothing but that.

Must not know which rights: the composition root hands over the manifest.
"""

from __future__ import annotations

import json as codec
from collections.abc import Callable
from typing import Any

from pipeline.graph.catalog import Catalog
from pipeline.graph.task import Action, Handle, TaskSpec

DOC = "print the rights that are needed in a cluster, for `kubectl apply --namespace NAME --filename -`"


def register(catalog: Catalog, manifest: Callable[[], dict[str, Any]]) -> Handle:
    """Add the task."""
    action = Action(rights, {"manifest": manifest})
    return catalog.add("rights", lambda: TaskSpec(name="rights", actions=(action,), always=True), doc=DOC)


def rights(manifest: Callable[[], dict[str, Any]]) -> None:
    """Print it as JSON, which kubectl takes as it takes YAML."""
    print(codec.dumps(manifest(), indent=2))
