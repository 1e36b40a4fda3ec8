"""Batches are a partition of the tests that splits nothing atomic and suits what a claim costs."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import UsageError
from pipeline.logic.batching import make_batches
from pipeline.model.tests import Test
from tests.logic.suites import a_test, suites, uniform

workers = st.integers(1, 9)


@settings(max_examples=30)
@given(suites(), workers, st.integers(0, 3))
def test_every_test_is_in_exactly_one_batch(tests: list[Test], workers: int, seed: int) -> None:
    """Nothing is lost and nothing planned twice."""
    batches = make_batches(tests, workers, seed=seed)

    assert sorted(at for batch in batches for at in batch.tests) == list(range(len(tests)))


@settings(max_examples=30)
@given(suites(), workers, st.integers(0, 3))
def test_a_batch_keeps_collection_order_and_one_suite(tests: list[Test], workers: int, seed: int) -> None:
    """Tests that lean on the order in their file find it."""
    for batch in make_batches(tests, workers, seed=seed):
        assert list(batch.tests) == sorted(batch.tests)
        assert len({tests[at].suite for at in batch.tests}) == 1


@settings(max_examples=30)
@given(suites(), workers)
def test_units_and_exclusive_resources_are_never_split(tests: list[Test], workers: int) -> None:
    """Each class, group and resource has one batch that holds all of it."""
    homes: dict[tuple[str, str], set[int]] = {}
    for batch in make_batches(tests, workers):
        for test in (tests[at] for at in batch.tests):
            if test.unit:
                homes.setdefault((test.suite, test.unit), set()).add(batch.number)
            if test.exclusive:
                homes.setdefault(("", test.exclusive), set()).add(batch.number)

    assert all(len(batches) == 1 for batches in homes.values())


@settings(max_examples=30)
@given(suites(), workers)
def test_an_exclusive_batch_says_so_and_holds_nothing_free(tests: list[Test], workers: int) -> None:
    """A batch names the resources of its tests, and no unbound test waits for them."""
    for batch in make_batches(tests, workers):
        used = {tests[at].exclusive for at in batch.tests} - {""}

        assert batch.exclusive == ",".join(sorted(used))
        assert not used or all(tests[at].exclusive or tests[at].unit for at in batch.tests)


@settings(max_examples=30)
@given(suites(), workers, st.integers(0, 3))
def test_equal_inputs_give_equal_batches(tests: list[Test], workers: int, seed: int) -> None:
    """A plan can be made again."""
    assert make_batches(tests, workers, seed=seed) == make_batches(tests, workers, seed=seed)


def test_another_seed_gives_tests_other_neighbours() -> None:
    """Seeds serve to find tests that lean on each other."""
    tests = uniform(400, 0.001, files=100)

    assert make_batches(tests, 2, seed=1) != make_batches(tests, 2, seed=2)


def test_trivial_tests_come_in_some_tens_of_batches() -> None:
    """A claim must not cost more than the tests it is for."""
    assert 10 <= len(make_batches(uniform(20_000, 0.0002, files=40), 2)) <= 99


def test_tests_without_history_come_in_some_tens_of_batches() -> None:
    """Many equal guesses are no reason for many claims."""
    assert 10 <= len(make_batches(uniform(20_000, 0.1, files=40), 2)) <= 99


def test_a_handful_of_unknown_tests_is_spread_over_workers() -> None:
    """With nothing known, each of few tests may be long."""
    assert len(make_batches(uniform(8, 0.1), 8)) == 8


def test_a_long_test_is_alone() -> None:
    """It can start first and holds nothing else up."""
    tests = [*uniform(100, 0.1), a_test("long", 30.0)]

    assert (100,) in [batch.tests for batch in make_batches(tests, 4)]


def test_batches_of_equal_tests_shrink() -> None:
    """What is claimed last is short, so that workers end together."""
    sizes = [len(batch.tests) for batch in make_batches(uniform(10_000, 0.01), 4)]

    assert sizes[0] >= 5 * sizes[-1]
    assert all(later <= earlier + 1 for earlier, later in pairwise(sizes[:-1]))


def test_a_light_file_stays_whole() -> None:
    """Fixtures of a file are set up per batch."""
    tests = uniform(400, 0.001, files=100)

    homes: dict[str, set[int]] = {}
    for batch in make_batches(tests, 2):
        for at in batch.tests:
            homes.setdefault(tests[at].file, set()).add(batch.number)

    assert all(len(batches) == 1 for batches in homes.values())


def test_light_files_of_one_slot_are_joined() -> None:
    """A batch of files that different harnesses collected would have most of them collected twice."""
    tests = uniform(400, 0.001, files=100)
    slots = {test.file: int(test.file[1:-3]) % 2 for test in tests}

    for batch in make_batches(tests, 2, affinity={"unit": slots}):
        assert len({slots[tests[at].file] for at in batch.tests}) == 1


def test_a_resource_of_two_suites_is_refused() -> None:
    """One batch cannot hold both, so the claim would be no lock."""
    tests = [a_test("t", suite="a", exclusive="db"), a_test("t", suite="b", exclusive="db")]

    with pytest.raises(UsageError, match="'db' is used by suites 'a' and 'b'"):
        make_batches(tests, 2)


def test_no_workers_are_refused() -> None:
    """Zero workers is the foreground, which needs no batches."""
    with pytest.raises(UsageError, match="got 0"):
        make_batches([], 0)
