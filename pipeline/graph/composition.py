"""What the composition root hands to the loader: the catalog, and what the user's files may touch.

Knows nothing of settings; `extensions` makes it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from types import MappingProxyType
from typing import Any, NamedTuple

from pipeline.graph.catalog import Catalog


class Composition(NamedTuple):
    """Made once per process, cheaply, before dodo.py is imported."""

    catalog: Catalog
    fleet: object = None
    """Handed to `configure(fleet)` of dodo.py."""
    configuring: Callable[[], AbstractContextManager[object]] = nullcontext
    """Encloses the call of dodo.py's `configure`, also when there is none: at its end everything has been said."""
    close: Callable[[], None] = lambda: None
    """Ends what the composition has started; called once when the command ends, however it does."""
    ended: Callable[[int], None] = lambda code: None
    """Told the exit code before `close`; never raises."""
    clear: Callable[[], None] = lambda: None
    """Takes away what is drawn on the terminal: doit is about to say there why the command ends."""
    leftover: Mapping[str, str] = MappingProxyType({})
    """`name=value` arguments that are not ours: doit's `get_var` variables."""
    doit_config: Mapping[str, Any] = MappingProxyType({})
    """doit's own configuration below the user's: `default_tasks`, `dep_file`, …"""
