"""Resources that at most N tests may use at once: N exclusive ones, called lanes, with the tests shared out among them.

So a limit needs no counting while tests run, and holds through losses and resumes as any exclusive resource does: a lane is one
batch, its claim is the lock. The price is that the sharing is settled by estimates. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import evolve

from pipeline.errors import UsageError
from pipeline.logic.atoms import LEAST_SECONDS
from pipeline.model.tests import Test

Load = list[tuple[str, float]]
"""(what stays together, seconds)."""


def in_lanes(tests: Sequence[Test], limits: Mapping[str, int]) -> Sequence[Test]:
    """The same tests; each that uses a limited resource has one lane of it instead.

    What is never split shares a lane, and so does no lane two suites. Raises `UsageError` for fewer lanes than suites.
    """
    if not limits or not any(test.exclusive in limits for test in tests):
        return tests
    lanes: dict[tuple[str, str, str], int] = {}
    for resource, limit in limits.items():
        lanes.update(_lanes(resource, limit, [test for test in tests if test.exclusive == resource]))
    return [
        evolve(test, exclusive=f"{test.exclusive} {lanes[test.exclusive, test.suite, _together(test)]}")
        if test.exclusive in limits
        else test
        for test in tests
    ]


def _lanes(resource: str, limit: int, users: Sequence[Test]) -> dict[tuple[str, str, str], int]:
    """The lane, from 1, of whatever stays together, by resource and suite."""
    loads: dict[str, dict[str, float]] = {}
    for test in users:
        of_suite = loads.setdefault(test.suite, {})
        together = _together(test)
        of_suite[together] = of_suite.get(together, 0.0) + max(test.seconds, LEAST_SECONDS)
    if len(loads) > limit:
        suites = ", ".join(map(repr, sorted(loads)))
        raise UsageError(
            f"at most {limit} tests may use {resource!r}, but suites {suites} do, and a lane is one suite's",
            hint=f"raise run.limits, or name a resource for each suite instead of {resource!r}",
        )
    found: dict[tuple[str, str, str], int] = {}
    first = 1
    for suite, count in _shares({suite: sum(each.values()) for suite, each in loads.items()}, limit).items():
        for together, lane in _dealt(list(loads[suite].items()), count).items():
            found[resource, suite, together] = first + lane
        first += count
    return found


def _together(test: Test) -> str:
    return f"unit {test.unit}" if test.unit else test.id


def _shares(seconds: Mapping[str, float], limit: int) -> dict[str, int]:
    """How many lanes each suite gets: one, and then one after the other to whoever has most for each of its own."""
    shares = dict.fromkeys(seconds, 1)
    for _ in range(limit - len(shares)):
        if shares:
            shares[max(shares, key=lambda suite: seconds[suite] / shares[suite])] += 1
    return shares


def _dealt(loads: Load, lanes: int) -> dict[str, int]:
    """The longest first to the lane that has least."""
    filled = [0.0] * lanes
    dealt: dict[str, int] = {}
    for together, seconds in sorted(loads, key=lambda load: -load[1]):
        lane = filled.index(min(filled))
        dealt[together] = lane
        filled[lane] += seconds
    return dealt
