"""Pools: slots laid out, and tests cut and shared out so that each pool's batches are begun by its own workers.

A batch belongs to the pool of its suite, for batches never mix suites; so the plan need not know of pools, and a run goes
on with whatever pools there are now. Pure; knows neither settings nor launchers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from attrs import evolve

from pipeline.logic.atoms import gather_atoms
from pipeline.logic.batching import CLAIM_SECONDS, Affinity, make_batches
from pipeline.logic.grouping import make_buckets
from pipeline.model.plans import Batch
from pipeline.model.pools import Pool
from pipeline.model.tests import Test


def apart(pools: Iterable[Pool]) -> tuple[Pool, ...]:
    """Give each pool slots of its own, one pool after the other."""
    laid: list[Pool] = []
    for pool in pools:
        laid.append(evolve(pool, first=slots_of(laid)))
    return tuple(laid)


def shared(pools: Iterable[Pool]) -> tuple[Pool, ...]:
    """Let all pools use the same slots, each the first so many: so no more run a pool's tests at once than it may have."""
    return tuple(evolve(pool, first=0) for pool in pools)


def behind(pools: Iterable[Pool], first: int) -> tuple[Pool, ...]:
    """The same pools with slots from `first` on."""
    return tuple(evolve(pool, first=pool.first + first) for pool in pools)


def grown(pools: Iterable[Pool]) -> tuple[Pool, ...]:
    """What these may grow by, as pools of their own: slots for three times as many workers, and 16 at least."""
    return apart(evolve(pool, size=max(16, 3 * pool.size)) for pool in pools)


def multiplied(pools: Iterable[Pool], by: int) -> tuple[Pool, ...]:
    """Shared pools with so many times the slots: for as many machines that have them."""
    return tuple(evolve(pool, size=pool.size * by) for pool in pools)


def slots_of(pools: Iterable[Pool]) -> int:
    """How many slots there are over all pools."""
    return max((pool.slots.stop for pool in pools), default=0)


def suites_of(pools: Sequence[Pool], slot: int) -> tuple[str, ...]:
    """The suites that the worker in that slot may run; none named: all. Where there is one pool, it runs everything."""
    if len({pool.name for pool in pools}) < 2:
        return ()
    return tuple(dict.fromkeys(suite for pool in pools if slot in pool.slots for suite in pool.suites))


def whole(pools: Sequence[Pool], suites: Iterable[str]) -> tuple[Pool, ...]:
    """Give suites of a plan that no pool has, because settings have changed, to the first pool."""
    known = {suite for pool in pools for suite in pool.suites}
    lost = tuple(dict.fromkeys(suite for suite in suites if suite not in known))
    return tuple(evolve(pool, suites=(*pool.suites, *lost)) if pool is pools[0] else pool for pool in pools)


def useful(pools: Iterable[Pool], work: Iterable[str]) -> tuple[Pool, ...]:
    """Where nobody has named a number, no more workers than there are pieces of work, each given by its suite."""
    pieces = Counter(work)
    return tuple(
        evolve(pool, size=max(1, min(pool.size, sum(pieces[suite] for suite in pool.suites)))) if pool.why else pool
        for pool in pools
    )


def single(tests: Iterable[Test], workers: int) -> tuple[Pool, ...]:
    """One pool for all tests."""
    return (Pool(name="default", first=0, size=workers, suites=tuple(dict.fromkeys(test.suite for test in tests))),)


def scaled(pools: Sequence[Pool], by: float) -> tuple[Pool, ...]:
    """As many workers in each pool times a factor, but at least one."""
    sized = [evolve(pool, size=max(1, int(pool.size * by))) for pool in pools]
    return apart(sized) if any(pool.first for pool in pools) else shared(sized)


def expected_seconds(pools: Sequence[Pool], loads: Iterable[tuple[str, float]]) -> float:
    """The least that batches, given as (suite, seconds), take in these pools. Workers that pools share work for all."""
    longest, whole_time, by_suite = 0.0, 0.0, Counter[str]()
    for suite, seconds in loads:
        longest, whole_time = max(longest, seconds), whole_time + seconds
        by_suite[suite] += seconds  # type: ignore[assignment]  # Counter is typed for whole numbers.
    bounds = [sum(by_suite[suite] for suite in pool.suites) / pool.size for pool in pools if pool.size]
    return max(longest, whole_time / max(slots_of(pools), 1), *bounds)


def batches_of_pools(
    tests: Sequence[Test],
    pools: Sequence[Pool],
    *,
    seed: int = 0,
    claim_seconds: float = CLAIM_SECONDS,
    affinity: Affinity | None = None,
) -> tuple[Batch, ...]:
    """Cut each pool's tests for its own number of workers. As `make_batches` for a single pool.

    Raises `UsageError` as `make_batches` does.
    """
    gather_atoms(tests)  # An exclusive resource of two suites is found here, even if they are of two pools.
    made: list[Batch] = []
    for pool in pools:
        own = [at for at, test in enumerate(tests) if test.suite in pool.suites]
        some = [tests[at] for at in own]
        for batch in make_batches(some, pool.size, seed=seed, claim_seconds=claim_seconds, affinity=affinity):
            made.append(evolve(batch, number=len(made), tests=tuple(own[at] for at in batch.tests)))
    return tuple(made)


def buckets_of_pools(
    tests: Sequence[Test], batches: Sequence[Batch], pools: Sequence[Pool], *, affinity: Affinity | None = None
) -> tuple[tuple[int, ...], ...]:
    """Assign every batch to a bucket of its pool; bucket i is that of slot i, so some may be empty, but not the last."""
    buckets: list[tuple[int, ...]] = [()] * slots_of(pools)
    for first in sorted({pool.first for pool in pools}):
        reach = {suite: pool.size for pool in pools if pool.first == first for suite in pool.suites}
        own = [batch for batch in batches if tests[batch.tests[0]].suite in reach]
        for at, bucket in enumerate(
            make_buckets(tests, own, max(reach.values(), default=1), affinity=affinity, reach=reach)
        ):
            buckets[first + at] = bucket
    while len(buckets) > 1 and not buckets[-1]:
        buckets.pop()
    return tuple(buckets)
