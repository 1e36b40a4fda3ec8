"""Each pool's tests are cut for, given to and taken by its own workers only, whatever the pools' layout."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import UsageError
from pipeline.logic.planning import freeze
from pipeline.logic.pooling import (
    apart,
    batches_of_pools,
    behind,
    buckets_of_pools,
    expected_seconds,
    grown,
    shared,
    slots_of,
    suites_of,
    useful,
    whole,
)
from pipeline.logic.stealing import next_batch
from pipeline.model.plans import Plan
from pipeline.model.pools import Pool
from pipeline.model.tests import Test
from tests.logic.suites import a_test

Lay = Callable[[Iterable[Pool]], tuple[Pool, ...]]
SIZES = st.tuples(st.integers(1, 5), st.integers(1, 5))
COUNTS = st.tuples(st.integers(0, 40), st.integers(0, 40))


def pools_of(sizes: tuple[int, int]) -> list[Pool]:
    """Two pools, not yet laid out."""
    return [
        Pool(name=name, first=0, size=size, suites=(suite,))
        for name, size, suite in zip(("default", "big"), sizes, ("unit", "heavy"), strict=True)
    ]


def made(counts: tuple[int, int]) -> list[Test]:
    """So many tests of each pool's suite, in turns."""
    named = [(at, suite) for suite, count in zip(("unit", "heavy"), counts, strict=True) for at in range(count)]
    return [a_test(f"t{at}", 0.1 + at % 7, suite=suite, file=f"f{at % 3}.py") for at, suite in sorted(named)]


def planned(tests: list[Test], pools: tuple[Pool, ...]) -> Plan:
    """The plan of these tests on these pools."""
    batches = batches_of_pools(tests, pools)
    return freeze(tests, batches, buckets_of_pools(tests, batches, pools))


def suite_of(plan: Plan, batch: int) -> str:
    """A batch's suite."""
    return plan.tests[plan.batches[batch].tests[0]].suite


@given(COUNTS, SIZES, st.sampled_from([apart, shared]))
def test_every_batch_lies_in_a_bucket_of_its_pool(counts: tuple[int, int], sizes: tuple[int, int], lay: Lay) -> None:
    """And the plan is whole; `freeze` would refuse one that is not."""
    pools = lay(pools_of(sizes))
    plan = planned(made(counts), pools)

    for slot, bucket in enumerate(plan.buckets):
        assert {suite_of(plan, number) for number in bucket} <= set(suites_of(pools, slot))
    assert len(plan.buckets) <= slots_of(pools)


@given(COUNTS, SIZES, st.sampled_from([apart, shared]))
def test_workers_take_all_of_their_pools_and_nothing_else(
    counts: tuple[int, int], sizes: tuple[int, int], lay: Lay
) -> None:
    """Whoever takes turns with whom."""
    pools = lay(pools_of(sizes))
    plan = planned(made(counts), pools)
    taken: set[int] = set()
    last: dict[int, int] = {}
    slots = list(range(slots_of(pools)))
    while slots:
        for slot in tuple(slots):
            suites = suites_of(pools, slot)
            number = next_batch(plan, slot, taken, last=last.get(slot), suites=suites)
            if number is None:
                slots.remove(slot)
            else:
                assert suite_of(plan, number) in suites
                taken.add(number)
                last[slot] = number

    assert taken == set(range(len(plan.batches)))


def test_a_worker_of_another_layout_takes_its_suites_wherever_they_lie() -> None:
    """A run that goes on with other pools: its own bucket may be another pool's by now."""
    plan = planned(made((10, 10)), apart(pools_of((2, 2))))
    taken: set[int] = set()
    while (number := next_batch(plan, 0, taken, suites=("heavy",))) is not None:
        taken.add(number)

    assert {suite_of(plan, number) for number in taken} == {"heavy"}
    assert {suite_of(plan, batch.number) for batch in plan.batches if batch.number not in taken} == {"unit"}


def test_slots_are_numbered_over_all_pools() -> None:
    """So a `gw<n>` names one worker of a run."""
    pools = apart(pools_of((2, 3)))

    assert [list(pool.slots) for pool in pools] == [[0, 1], [2, 3, 4]]
    assert slots_of(pools) == 5
    assert [suites_of(pools, slot) for slot in (1, 2)] == [("unit",), ("heavy",)]


def test_pools_on_one_machine_use_the_first_of_its_workers() -> None:
    """No more workers than the largest asks for, and no more of them run a pool's tests than that pool asks for."""
    pools = shared(pools_of((4, 2)))

    assert slots_of(pools) == 4
    assert [suites_of(pools, slot) for slot in (1, 2)] == [("unit", "heavy"), ("unit",)]


def test_a_single_pool_runs_everything() -> None:
    """Suites of its own need not be named, so that a run with suites of another day goes on."""
    assert suites_of(apart(pools_of((2, 2))[:1]), 1) == ()


def test_suites_that_no_pool_has_go_to_the_first() -> None:
    """They would never run else."""
    first, second = whole(apart(pools_of((2, 2))), ["unit", "gone", "heavy", "gone"])

    assert (first.suites, second.suites) == (("unit", "gone"), ("heavy",))


def test_an_exclusive_resource_of_two_pools_is_an_error_with_a_way_out() -> None:
    """No batch can be of both."""
    tests = [a_test("a", 1.0, exclusive="db"), a_test("b", 1.0, suite="heavy", exclusive="db")]

    with pytest.raises(UsageError, match="'db' is used by suites 'heavy' and 'unit'"):
        batches_of_pools(tests, apart(pools_of((1, 1))))


@pytest.mark.parametrize("lay", [apart, shared])
def test_the_slowest_pool_is_waited_for(lay: Lay) -> None:
    """20 s of one worker's, whatever the eight others do."""
    pools = lay(pools_of((8, 1)))

    assert expected_seconds(pools, [("unit", 4.0)] * 8 + [("heavy", 5.0)] * 4) == pytest.approx(20.0)


def test_nobody_counts_on_more_workers_than_there_is_work() -> None:
    """Where the number follows an engine; a number that a person has named stands."""
    counted = Pool(name="a", first=0, size=300, suites=("one", "two"), why="fits")
    named = Pool(name="b", first=300, size=5, suites=("three",))
    idle = Pool(name="c", first=305, size=7, suites=("four",), why="fits")
    found = useful([counted, named, idle], ["one", "two", "two", "three"])
    assert [pool.size for pool in found] == [3, 5, 1]
    assert [pool.first for pool in found] == [0, 300, 305]


def test_pools_grow_behind_all_others() -> None:
    """Into slots that nobody else has."""
    pools = apart([Pool(name="a", first=0, size=2, suites=("one",)), Pool(name="b", first=0, size=9, suites=())])
    spare = behind(grown(pools), slots_of(pools))
    assert [(pool.name, pool.first, pool.size) for pool in spare] == [("a", 11, 16), ("b", 27, 27)]
    assert suites_of([*pools, *spare], 12) == ("one",)
    assert suites_of([pools[0], spare[0]], 12) == ()
