"""What tests demand of their places: what their suite requires, and what the values of their rows say of each."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import evolve

from pipeline.logic.placement.demands import Keys, demand_of
from pipeline.logic.placement.grounds import Amount
from pipeline.logic.placement.offers import Demand
from pipeline.model.suites import Suite
from pipeline.model.tests import Test

if TYPE_CHECKING:
    from extensions.fleet import Fleet

Values = Mapping[tuple[str, int], Mapping[str, str]]
"""Of rows, by native id and occurrence."""


def demands_of(fleet: Fleet, suites: Sequence[Suite], tests: Sequence[Test]) -> list[Demand]:
    """Of each test, in order. Raises `UsageError` that names the test and what is wrong with its value."""
    known = {suite.name: suite for suite in suites}
    needed = {test.suite for test in tests}
    keys = {name: _keys(_settings(fleet, name).requires.keys) for name in needed}
    values = {name: _values(known[name]) if name in known else {} for name in needed}
    every = {name: _of_all(_settings(fleet, name).requires) for name in needed}
    return [
        _joined(
            every[test.suite],
            demand_of(
                test.id,
                f"{test.suite}.{test.native}",
                values[test.suite].get((test.native, test.occurrence), {}),
                keys[test.suite],
            ),
        )
        for test in tests
    ]


def amounts_of(fleet: Fleet, suites: Sequence[Suite]) -> list[Amount]:
    """What each test of these suites needs, as far as that is known before they are collected: rows, else one for a suite."""
    amounts = []
    for suite in suites:
        requires = _settings(fleet, suite.name).requires
        every, keys = _of_all(requires), _keys(requires.keys)
        rows = _values(suite).items() if keys.cpus or keys.memory else ()
        demands = [_joined(every, demand_of(f"{suite.name}::{name}", name, row, keys)) for (name, _), row in rows]
        amounts += [Amount(each.cpus, each.memory_bytes) for each in demands or [every]]
    return amounts


def _settings(fleet: Fleet, suite: str) -> Any:
    """Of a suite, which may be one for each of several interpreters: `unit-py311` is of `unit`."""
    names = fleet.suites.names()
    return fleet.suites[suite if suite in names else max((name for name in names if suite.startswith(name)), key=len)]


def _keys(said: Any) -> Keys:
    return Keys(
        host=said.host.get(),
        queue=said.queue.get(),
        labels=said.labels.get(),
        cpus=said.cpus.get(),
        memory=said.memory.get(),
        memory_unit_bytes=said.memory_unit.get(),
        exclusive=said.exclusive.get(),
        affinity=said.affinity.get(),
    )


def _of_all(said: Any) -> Demand:
    return Demand(
        test="",
        host=said.host.get(),
        queue=said.queue.get(),
        labels=frozenset(said.labels.get()),
        cpus=said.cpus.get() or 0.0,
        memory_bytes=said.memory.get() or 0,
        exclusive=frozenset(said.exclusive.get()),
        affinity=said.affinity.get(),
    )


def _joined(every: Demand, own: Demand) -> Demand:
    """What the row says counts; labels and exclusive things come together."""
    return evolve(
        own,
        host=own.host or every.host,
        queue=own.queue or every.queue,
        labels=own.labels | every.labels,
        cpus=own.cpus or every.cpus,
        memory_bytes=own.memory_bytes or every.memory_bytes,
        exclusive=own.exclusive | every.exclusive,
        affinity=own.affinity or every.affinity,
    )


def _values(suite: Suite) -> Values:
    """Of the rows of a suite of commands, as they were frozen."""
    if suite.command is None:
        return {}
    frozen = json.loads((Path(suite.root) / suite.command.rows).read_bytes())
    return {(test[0], test[1]): row[0] for test, row in zip(frozen["tests"], frozen["rows"], strict=True) if row[0]}
