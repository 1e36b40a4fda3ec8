"""A worker works through its own bucket, then helps whoever has most left."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.logic.planning import freeze
from pipeline.logic.stealing import claims_ahead, next_batch
from pipeline.model.plans import Batch, Plan
from pipeline.model.tests import Test
from tests.logic.suites import a_test, planned, suites


def plan_of(*buckets: list[float], files: str = "", suites: str = "") -> Plan:
    """One test a batch; letters name each batch's file and suite."""
    flat = [seconds for bucket in buckets for seconds in bucket]
    tests = [
        a_test(f"t{at}", seconds, file=files[at : at + 1] or f"{at}", suite=suites[at : at + 1] or "s")
        for at, seconds in enumerate(flat)
    ]
    batches = [Batch(number=at, bucket=0, tests=(at,), seconds=seconds) for at, seconds in enumerate(flat)]
    numbers = iter(range(len(flat)))
    return freeze(tests, batches, [[next(numbers) for _ in bucket] for bucket in buckets])


def test_a_worker_takes_its_own_bucket_in_order() -> None:
    """The order of a bucket is the plan's decision."""
    plan = plan_of([1, 1, 1], [1])

    assert [next_batch(plan, 0, taken) for taken in (set(), {0}, {0, 1})] == [0, 1, 2]


def test_a_worker_without_own_work_takes_the_longest_of_the_fullest_bucket() -> None:
    """The bucket with the most time left ends last."""
    plan = plan_of([1], [4], [1, 3, 2])

    assert next_batch(plan, 0, {0}) == 3


def test_nothing_waiting_is_none() -> None:
    """Then the worker's work is done."""
    plan = plan_of([1], [1])

    assert next_batch(plan, 0, {0, 1}) is None


def test_a_worker_without_a_bucket_steals() -> None:
    """A resumed run may have more workers than its plan."""
    plan = plan_of([1], [2])

    assert next_batch(plan, 7, set()) == 1


def test_a_file_that_is_warm_is_stolen_before_one_slightly_longer() -> None:
    """To collect another file costs more than it brings."""
    plan = plan_of([1], [5, 4], files="xyx")

    assert next_batch(plan, 0, {0}, last=0) == 2


def test_a_far_longer_batch_is_stolen_before_a_warm_file() -> None:
    """The end of the run counts more than a collection."""
    plan = plan_of([1], [9, 4], files="xyx")

    assert next_batch(plan, 0, {0}, last=0) == 1


def test_the_own_suite_is_stolen_from_first() -> None:
    """Another suite needs another harness."""
    plan = plan_of([1], [9], [2], suites="aba")

    assert next_batch(plan, 0, {0}, last=0) == 2
    assert next_batch(plan, 0, {0, 2}, last=0) == 1


def test_far_longer_work_elsewhere_goes_before_the_own_bucket() -> None:
    """It may wait behind a test gone slow, and would else be the end of the run."""
    plan = plan_of([1, 1], [2, 30])

    assert next_batch(plan, 0, {2}) == 3
    assert next_batch(plan, 0, set()) == 0


def test_short_work_is_never_urgent() -> None:
    """In a quick suite files stay where they are."""
    plan = plan_of([0.01], [0.9])

    assert next_batch(plan, 0, set()) == 0


def test_the_next_batch_is_claimed_when_the_current_one_is_about_to_end() -> None:
    """Earlier would take work from others, later would wait for the claim; whoever is in a long test leaves the next one to others."""
    assert claims_ahead(0.01, 0.005)
    assert not claims_ahead(1.0, 0.005)


@settings(max_examples=30)
@given(suites(), st.integers(1, 5), st.data())
def test_whoever_asks_all_batches_are_taken_once(tests: list[Test], workers: int, data: st.DataObject) -> None:
    """No order of asking leaves anything behind or gives anything twice."""
    plan = planned(tests, workers)
    taken: set[int] = set()
    last: dict[int, int] = {}
    while len(taken) < len(plan.batches):
        worker = data.draw(st.integers(0, workers))
        number = next_batch(plan, worker, taken, last=last.get(worker))
        assert number is not None
        assert number not in taken
        taken.add(number)
        last[worker] = number

    assert next_batch(plan, 0, taken) is None
