"""Atoms: the least that may be a batch. A test alone, all tests of a unit, or all tests of an exclusive resource.

Where these overlap (a class of which one test needs a resource) the whole is one atom. Knows nothing of workers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from pipeline.errors import UsageError
from pipeline.model.tests import Test

LEAST_SECONDS = 0.0001
"""What any test costs at the least, so that tests measured as 0 still count."""


class Atom(NamedTuple):
    """Tests that are never split. Never empty. A tuple, because there may be a million."""

    tests: tuple[int, ...]
    """Positions in the plan, ascending."""
    seconds: float
    exclusive: str = ""
    """Names of the exclusive resources, joined by commas."""


def gather_atoms(tests: Sequence[Test]) -> tuple[Atom, ...]:
    """Make atoms in the order of their first tests.

    Raises `UsageError` when an exclusive resource is needed by two suites: one batch cannot hold both.
    """
    groups = _bound_together(tests)
    atoms = []
    for first, test in enumerate(tests):
        if not (test.unit or test.exclusive):
            seconds = test.seconds
            atoms.append(Atom((first,), seconds if seconds > LEAST_SECONDS else LEAST_SECONDS))  # Hot.
        elif first in groups:
            atoms.append(_atom(tests, groups[first]))
    return tuple(atoms)


def _atom(tests: Sequence[Test], members: Sequence[int]) -> Atom:
    seconds = sum(max(tests[at].seconds, LEAST_SECONDS) for at in members)
    resources = sorted({tests[at].exclusive for at in members} - {""})
    for resource in resources:
        _check_one_suite(resource, {tests[at].suite for at in members if tests[at].exclusive == resource})
    return Atom(tuple(members), seconds, ",".join(resources))


def _check_one_suite(resource: str, suites: Iterable[str]) -> None:
    first, *others = sorted(suites)
    if others:
        raise UsageError(
            f"exclusive resource {resource!r} is used by suites {first!r} and {others[0]!r}",
            hint="its tests must share one batch: move them into one suite, or name two resources",
        )


def _bound_together(tests: Sequence[Test]) -> dict[int, list[int]]:
    """Members of each connected group of tests by the position of its first one (union-find over names)."""
    owners: dict[tuple[str, ...], int] = {}
    parents: dict[int, int] = {}
    for at, test in enumerate(tests):
        if not (test.unit or test.exclusive):
            continue
        parents[at] = at
        if test.unit:
            _join(parents, owners.setdefault(("unit", test.suite, test.unit), at), at)
        if test.exclusive:
            _join(parents, owners.setdefault(("exclusive", test.exclusive), at), at)
    groups: dict[int, list[int]] = {}
    for at in parents:
        groups.setdefault(_root(parents, at), []).append(at)
    return groups


def _root(parents: dict[int, int], at: int) -> int:
    while parents[at] != at:
        parents[at] = parents[parents[at]]
        at = parents[at]
    return at


def _join(parents: dict[int, int], one: int, other: int) -> None:
    """The earlier root wins, so that a group is named by its first test."""
    first, second = sorted((_root(parents, one), _root(parents, other)))
    parents[second] = first
