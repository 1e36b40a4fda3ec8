"""Buckets are a balanced partition of the batches, near the harnesses that know the files."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.logic.batching import make_batches
from pipeline.logic.grouping import make_buckets
from pipeline.model.tests import Test
from tests.logic.suites import a_test, planned, suites, uniform


@settings(max_examples=30)
@given(suites(), st.integers(1, 9))
def test_every_batch_is_in_exactly_one_bucket(tests: list[Test], workers: int) -> None:
    """Whatever is to do has one place where it begins."""
    batches = make_batches(tests, workers)
    buckets = make_buckets(tests, batches, workers)

    assert sorted(number for bucket in buckets for number in bucket) == list(range(len(batches)))
    assert 1 <= len(buckets) <= max(1, min(workers, len(batches)))


@settings(max_examples=30)
@given(suites(), st.integers(1, 9))
def test_batches_of_one_suite_are_contiguous_in_a_bucket(tests: list[Test], workers: int) -> None:
    """To change the suite is to start another harness."""
    plan = planned(tests, workers)
    for bucket in plan.buckets:
        order = [tests[plan.batches[number].tests[0]].suite for number in bucket]

        changes = sum(one != other for one, other in pairwise(order))
        assert changes == max(0, len(set(order)) - 1)


@given(st.lists(st.floats(0.1, 20), min_size=1, max_size=60), st.integers(1, 9))
def test_buckets_differ_by_no_more_than_a_group(durations: list[float], workers: int) -> None:
    """Longest first leaves at most one group's difference between the fullest and the mean."""
    tests = [a_test(f"t{at}", seconds, file=f"f{at}.py") for at, seconds in enumerate(durations)]
    plan = planned(tests, workers)
    loads = [sum(plan.batches[number].seconds for number in bucket) for bucket in plan.buckets]

    assert max(loads) <= sum(loads) / len(loads) + max(durations) + 1e-6


def test_a_file_goes_to_the_slot_that_collected_it() -> None:
    """To collect it elsewhere costs."""
    tests = uniform(400, 0.1, files=40)
    slots = {test.file: (int(test.file[1:-3]) * 7) % 4 for test in tests}
    batches = make_batches(tests, 4, affinity={"unit": slots})

    buckets = make_buckets(tests, batches, 4, affinity={"unit": slots})

    at_home = sum(slots[tests[batches[n].tests[0]].file] == at for at, bucket in enumerate(buckets) for n in bucket)
    assert at_home >= 0.9 * len(batches)


def test_one_slot_that_collected_everything_does_not_run_everything() -> None:
    """Balance goes before affinity."""
    tests = uniform(400, 0.1, files=40)
    slots = {"unit": {test.file: 0 for test in tests}}
    batches = make_batches(tests, 4, affinity=slots)

    buckets = make_buckets(tests, batches, 4, affinity=slots)

    loads = [sum(batches[number].seconds for number in bucket) for bucket in buckets]
    assert max(loads) <= 1.3 * sum(loads) / 4


def test_long_batches_come_first() -> None:
    """What is left for the end is short."""
    tests = [*uniform(100, 0.1, files=10), a_test("long", 5.0, file="z.py")]
    plan = planned(tests, 2)

    first = {plan.batches[bucket[0]].tests for bucket in plan.buckets}
    assert (100,) in first


def test_a_small_suite_starts_few_harnesses() -> None:
    """Suites fill buckets one after the other."""
    tests = [*uniform(400, 0.1, files=40), *[a_test(f"t{at}", 0.1, suite="small", file=f"{at}.py") for at in range(20)]]
    plan = planned(tests, 8)

    with_small = [
        bucket for bucket in plan.buckets if any(tests[plan.batches[n].tests[0]].suite == "small" for n in bucket)
    ]
    assert len(with_small) <= 2
