"""What must be together is told to the planner in its own words: exclusive resources, and units that are never split. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from attrs import evolve

from pipeline.logic.placement.offers import Demand
from pipeline.model.tests import Test

SUITE_ENDS: Final = "\0"
"""Between suite and word: units are a suite's own."""


def tied(tests: Sequence[Test], demands: Sequence[Demand]) -> Sequence[Test]:
    """The same tests; those that hold an exclusive thing share a resource, those of one affinity a unit of their suite."""
    if not any(demand.exclusive or demand.affinity for demand in demands):
        return tests
    pairs = list(zip(tests, demands, strict=True))
    held = _joined([{*demand.exclusive, test.exclusive} - {""} for test, demand in pairs])
    together = _joined([_units(test, demand) for test, demand in pairs])
    return [
        evolve(test, exclusive=",".join(things), unit=" and ".join(unit.partition(SUITE_ENDS)[2] for unit in units))
        for test, things, units in zip(tests, held, together, strict=True)
    ]


def bound(tests: Sequence[Test], demands: Sequence[Demand]) -> Sequence[Demand]:
    """The demands of tied tests, with all that keeps these together, whoever has said it."""
    return [
        evolve(
            demand,
            exclusive=frozenset({test.exclusive} - {""}),
            affinity=f"{test.unit} of suite {test.suite}" if test.unit else "",
        )
        for test, demand in zip(tests, demands, strict=True)
    ]


def _units(test: Test, demand: Demand) -> set[str]:
    words = [test.unit, f"affinity {demand.affinity}" if demand.affinity else ""]
    return {f"{test.suite}{SUITE_ENDS}{word}" for word in words if word}


def _joined(worded: Sequence[Collection[str]]) -> list[tuple[str, ...]]:
    """For each set of words all words that are joined with them, by whatever sets: equal for all that are joined."""
    parents: dict[str, str] = {}
    for words in worded:
        for word in words:
            parents.setdefault(word, word)
            parents[_root(parents, word)] = _root(parents, next(iter(words)))
    members: dict[str, list[str]] = {}
    for word in sorted(parents):
        members.setdefault(_root(parents, word), []).append(word)
    return [tuple(members[_root(parents, next(iter(words)))]) if words else () for words in worded]


def _root(parents: dict[str, str], word: str) -> str:
    parents.setdefault(word, word)
    while parents[word] != word:
        parents[word] = parents[parents[word]]
        word = parents[word]
    return word
