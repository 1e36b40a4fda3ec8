"""What the plan must know of a test before it runs: what it may not be parted from, what it may not share.

Reads markers and parents of pytest's items; runs nothing.
"""

from __future__ import annotations

from typing import Any

from _pytest.python import Class

GROUP = "xdist_group"
EXCLUSIVE = "fleet_exclusive"
MARKERS = (
    GROUP + "(name): run the tests of a group on one worker",
    EXCLUSIVE + "(name): never run while another test holds the resource of that name",
)


def describe(item: Any) -> tuple[str, str]:
    """The unit (an xdist group, else the outermost class, else empty) and the exclusive resource of a test."""
    unit = exclusive = ""
    for mark in item.iter_markers():
        if mark.name == GROUP and not unit:
            unit = "{}:{}".format(GROUP, _name(mark, "default"))
        elif mark.name == EXCLUSIVE and not exclusive:
            exclusive = _name(mark, "exclusive")
    return unit or _outermost_class(item), exclusive


def _name(mark: Any, default: str) -> str:
    value = mark.args[0] if mark.args else mark.kwargs.get("name", default)
    return str(value)


def _outermost_class(item: Any) -> str:
    found, node = "", item.parent
    while node is not None:
        if isinstance(node, Class):
            found = node.nodeid
        node = node.parent
    return found
