"""An imagined run keeps the rules of a real one, and no schedule of it is far from the best."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.logic.simulating import simulate
from pipeline.model.tests import Test
from tests.logic.suites import a_test, planned, suites, uniform


@settings(max_examples=60)
@given(suites(), st.integers(1, 9), st.lists(st.floats(0, 50), min_size=25, max_size=25))
def test_no_run_is_longer_than_greedy_allows(tests: list[Test], workers: int, some: list[float]) -> None:
    """Graham's bound with free claims: at most (2 - 1/N) times the best, whatever the estimates were worth."""
    plan = planned(tests, workers)
    real = some[: len(tests)]
    batches = [sum(real[at] for at in batch.tests) for batch in plan.batches]

    seconds = simulate(plan, workers, seconds=real).seconds

    floor = max(sum(real) / workers, max(batches, default=0.0))
    assert floor - 1e-6 <= seconds <= (2 - 1 / workers) * floor + 1e-6


@settings(max_examples=30)
@given(suites(), st.integers(1, 9), st.sampled_from([0.0, 0.005, 0.05, 3.0]))
def test_every_batch_is_claimed_once(tests: list[Test], workers: int, claim_seconds: float) -> None:
    """Claims that came too late are counted above the batches, and nothing runs twice."""
    plan = planned(tests, workers)
    run = simulate(plan, workers, claim_seconds=claim_seconds)

    assert run.claims >= len(plan.batches)
    assert run.steals <= len(plan.batches)
    assert run.seconds * workers >= sum(test.seconds for test in tests) - 1e-6


def test_a_claim_is_hidden_behind_the_batch_before() -> None:
    """Only the first claim of a worker is waited for."""
    tests = uniform(100, 1.0, files=10)

    run = simulate(planned(tests, 1), 1, claim_seconds=0.1)

    assert run.seconds == pytest.approx(100.1)


def test_a_worker_that_falls_behind_is_helped() -> None:
    """Half of the tests are ten times as slow as estimated, all in one bucket."""
    tests = uniform(400, 0.1, files=2)
    plan = planned(tests, 4)
    slow = {at for number in plan.buckets[0] for at in plan.batches[number].tests}
    real = [1.0 if at in slow else 0.1 for at in range(len(tests))]

    assert simulate(plan, 4, seconds=real).seconds <= 1.1 * sum(real) / 4


def test_a_thousand_tests_on_many_workers_end_together() -> None:
    """1,000 tests of 0.5 to 1.5 s on 25 workers, estimated as equal."""
    tests = uniform(1000, 1.0, files=40)
    real = [0.5 + (at * 7919 % 1000) / 1000 for at in range(1000)]

    run = simulate(planned(tests, 25), 25, seconds=real, claim_seconds=0.005)

    assert run.seconds <= 1.03 * sum(real) / 25


def test_one_giant_file_uses_all_workers() -> None:
    """A file is kept together only while that costs no balance."""
    tests = uniform(1000, 0.1, files=1)

    assert simulate(planned(tests, 16), 16, claim_seconds=0.005).seconds <= 1.05 * 100 / 16


def test_files_are_met_by_few_workers() -> None:
    """Balance does not cost a collection of every file everywhere."""
    tests = uniform(2000, 0.05, files=200)

    assert simulate(planned(tests, 8), 8, claim_seconds=0.005).loads <= 1.2 * 200


def test_an_exclusive_resource_bounds_the_run() -> None:
    """Its tests run one after the other, beginning at once."""
    tests = [*uniform(100, 0.1, files=10), *[a_test(f"t{at}", 1.0, file=f"x{at}", exclusive="db") for at in range(20)]]

    assert simulate(planned(tests, 8), 8).seconds == pytest.approx(20.0)
