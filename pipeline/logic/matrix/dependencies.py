"""Which rows wait for which: `- boot: install` makes each boot wait for every install of the same outer combination.

A dependency whose rows have been filtered away binds nobody; one that no name ever had is an error, and so is a circle. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from graphlib import CycleError, TopologicalSorter

from pipeline.errors import UsageError
from pipeline.logic.matrix.nodes import Tree
from pipeline.logic.matrix.reaching import is_begun
from pipeline.logic.matrix.rows import Row


def waits_of(tree: Tree, rows: Sequence[Row]) -> dict[str, tuple[str, ...]]:
    """For each row with dependencies, the names of the rows it waits for. Raises `UsageError`."""
    if not any(row.dependencies for row in rows):
        return {}
    beginnings = _beginnings(rows)
    waits: dict[str, tuple[str, ...]] = {}
    known: dict[str, tuple[str, ...]] = {}
    for row in rows:
        for dependency in row.dependencies:
            if dependency not in known:
                known[dependency] = beginnings.get(dependency) or _nobody(tree, row, dependency)
        if row.dependencies:
            found = dict.fromkeys(name for dependency in row.dependencies for name in known[dependency])
            waits[row.name] = tuple(name for name in found if name != row.name)
    _refuse_circles(waits)
    return waits


def _beginnings(rows: Sequence[Row]) -> dict[str, tuple[str, ...]]:
    """Rows by what their names begin with; only what is asked for."""
    asked = {dependency for row in rows for dependency in row.dependencies}
    found: dict[str, list[str]] = {}
    for row in rows:
        start = row.name
        while start:
            if start in asked:
                found.setdefault(start, []).append(row.name)
            start = start.rpartition(".")[0]
    return {start: tuple(names) for start, names in found.items()}


def _nobody(tree: Tree, row: Row, dependency: str) -> tuple[str, ...]:
    """No rows; an error when no name could ever begin like that, filters apart."""
    if not is_begun(tree.root, tuple(dependency.split("."))):
        hint = "a dependency is a variant of the same stanza, and of those before it with dots: sibling.inner"
        raise UsageError(f"row {row.name!r} depends on {dependency!r}, which no row is called", hint=hint)
    return ()


def _refuse_circles(waits: dict[str, tuple[str, ...]]) -> None:
    try:
        TopologicalSorter(waits).prepare()
    except CycleError as circle:
        names = " -> ".join(circle.args[1])
        raise UsageError(f"rows wait for each other: {names}", hint="take one of these dependencies out") from None
