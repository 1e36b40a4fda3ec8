"""What the composition root hands to the loader: the catalog, and what the user's files may touch.

Knows nothing of settings; `extensions` makes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from pipeline.graph.catalog import Catalog


@frozen(kw_only=True)
class Composition:
    """Made once per process, cheaply, before dodo.py is imported."""

    catalog: Catalog
    fleet: object = None
    """Handed to `configure(fleet)` of dodo.py."""
    leftover: Mapping[str, str] = field(factory=dict)
    """`name=value` arguments that are not ours: doit's `get_var` variables."""
    doit_config: Mapping[str, Any] = field(factory=dict)
    """doit's own configuration below the user's: `default_tasks`, `dep_file`, …"""
