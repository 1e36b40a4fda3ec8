"""What if: the expected wall time for other numbers of workers, what bounds it, and how many a target time needs.

Plays the real batching, grouping and stealing on estimates. Knows nothing of what workers cost or how they start.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from attrs import frozen

from pipeline.logic import pooling
from pipeline.logic.atoms import gather_atoms
from pipeline.logic.batching import CLAIM_SECONDS
from pipeline.logic.planning import freeze
from pipeline.logic.simulating import simulate
from pipeline.model.pools import Pool
from pipeline.model.tests import Test

_SHOWN = 5
_SLACK = 1.05
"""Steps in which more workers are tried until the target is met."""


@frozen(kw_only=True)
class Point:
    """One number of workers, and how long the run would take with it."""

    workers: int
    seconds: float


@frozen(kw_only=True)
class Weight:
    """A test, a unit or a file, and how long it lasts."""

    name: str
    seconds: float
    tests: int = 1


@frozen(kw_only=True)
class Forecast:
    """What to expect of a run."""

    points: tuple[Point, ...]
    """For half as many workers, as many as asked, and twice as many; ascending, without repeats."""
    total_seconds: float
    """One worker would take that long."""
    longest: tuple[Weight, ...]
    """Tests, or units that are never split, longest first: no number of workers makes a run shorter than the first."""
    files: tuple[Weight, ...]
    """Files with most of the time, longest first."""

    @property
    def least_seconds(self) -> float:
        """No number of workers makes the run shorter."""
        return self.longest[0].seconds if self.longest else 0.0

    @property
    def most_workers(self) -> int:
        """More workers than that are of no use."""
        return max(1, math.ceil(self.total_seconds / self.least_seconds)) if self.least_seconds else 1


def forecast(tests: Sequence[Test], pools: Sequence[Pool], *, claim_seconds: float = CLAIM_SECONDS) -> Forecast:
    """Expect wall times for N/2, N and 2N workers in each pool. `tests` carry their estimates."""
    sizes = {pooling.slots_of(some): some for some in (pooling.scaled(pools, by) for by in (0.5, 1, 2))}
    return Forecast(
        points=tuple(
            Point(workers=count, seconds=wall_seconds_of(tests, sizes[count], claim_seconds)) for count in sorted(sizes)
        ),
        total_seconds=sum(test.seconds for test in tests),
        longest=_longest(tests),
        files=_files(tests),
    )


def wall_seconds(tests: Sequence[Test], workers: int, claim_seconds: float = CLAIM_SECONDS) -> float:
    """Plan for that many workers of one kind and play the plan through."""
    return wall_seconds_of(tests, pooling.single(tests, workers), claim_seconds)


def wall_seconds_of(tests: Sequence[Test], pools: Sequence[Pool], claim_seconds: float = CLAIM_SECONDS) -> float:
    """Plan for these pools and play the plan through."""
    batches = pooling.batches_of_pools(tests, pools, claim_seconds=claim_seconds)
    plan = freeze(tests, batches, pooling.buckets_of_pools(tests, batches, pools))
    return simulate(plan, pooling.slots_of(pools), claim_seconds=claim_seconds, pools=pools).seconds


def workers_for(
    tests: Sequence[Test], target_seconds: float, *, claim_seconds: float = CLAIM_SECONDS, pools: Sequence[Pool] = ()
) -> int | None:
    """Find how many workers reach the target, to within 5 %; None when no number does.

    Pools with workers of their own need the sum of what each needs; those that share workers count as one.
    """
    if any(pool.first for pool in pools):
        own = ([test for test in tests if test.suite in pool.suites] for pool in pools)
        needed = [workers_for(some, target_seconds, claim_seconds=claim_seconds) for some in own]
        return None if None in needed else sum(count or 0 for count in needed)
    total = sum(test.seconds for test in tests)
    if not tests:
        return 1
    if target_seconds <= 0:
        return None
    workers = max(1, math.ceil(total / target_seconds))
    while workers <= len(tests):
        if wall_seconds(tests, workers, claim_seconds) <= target_seconds:
            return workers
        if _longest(tests)[0].seconds >= target_seconds:
            return None
        workers = max(workers + 1, math.ceil(workers * _SLACK))
    return None


def _longest(tests: Sequence[Test]) -> tuple[Weight, ...]:
    atoms = sorted(gather_atoms(tests), key=lambda atom: (-atom.seconds, atom.tests))[:_SHOWN]
    return tuple(
        Weight(
            name=_name(tests[atom.tests[0]], len(atom.tests), atom.exclusive),
            seconds=sum(tests[at].seconds for at in atom.tests),
            tests=len(atom.tests),
        )
        for atom in atoms
    )


def _name(first: Test, tests: int, exclusive: str) -> str:
    return first.id if tests == 1 else exclusive or f"{first.suite}::{first.unit}"


def _files(tests: Sequence[Test]) -> tuple[Weight, ...]:
    sums: dict[tuple[str, str], list[float]] = {}
    for test in tests:
        sums.setdefault((test.suite, test.file), []).append(test.seconds)
    weights = (
        Weight(name=f"{suite}::{file}", seconds=sum(seconds), tests=len(seconds))
        for (suite, file), seconds in sums.items()
    )
    return tuple(sorted(weights, key=lambda weight: (-weight.seconds, weight.name))[:_SHOWN])
