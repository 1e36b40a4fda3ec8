"""Every test gets an estimate, from the nearest thing that is known."""

from __future__ import annotations

import math

import pytest

from pipeline.logic.estimating import PRIOR_SECONDS, estimate
from tests.logic.suites import a_test


def test_own_history_decides() -> None:
    """A test that has run before is expected to last as long again."""
    (test,) = estimate([a_test("t")], {"unit::a.py::t": 7.0})

    assert test.seconds == 7.0


def test_an_unknown_test_lasts_as_long_as_its_file_s_mean() -> None:
    """Neighbours in the file are the best guess, before the rest of the suite."""
    tests = [a_test("t1"), a_test("t2"), a_test("new"), a_test("far", file="b.py")]

    found = estimate(tests, {tests[0].id: 1.0, tests[1].id: 3.0, tests[3].id: 100.0})

    assert found[2].seconds == 2.0


def test_a_test_of_an_unknown_file_lasts_as_long_as_its_suite_s_mean() -> None:
    """Another suite's durations say nothing."""
    tests = [a_test("t1"), a_test("new", file="b.py"), a_test("t", suite="slow")]

    found = estimate(tests, {tests[0].id: 3.0, tests[2].id: 100.0})

    assert found[1].seconds == 3.0


def test_without_any_history_all_tests_are_equal() -> None:
    """A first run has only a prior."""
    assert {test.seconds for test in estimate([a_test("t1"), a_test("t2")], {})} == {PRIOR_SECONDS}


@pytest.mark.parametrize("nonsense", [-1.0, math.inf, math.nan])
def test_a_value_that_is_no_duration_counts_as_unknown(nonsense: float) -> None:
    """A damaged history cannot spoil a plan."""
    tests = [a_test("t1"), a_test("t2")]

    found = estimate(tests, {tests[0].id: nonsense, tests[1].id: 5.0})

    assert found[0].seconds == 5.0


def test_nothing_else_of_a_test_changes() -> None:
    """Only the estimate is filled in."""
    test = a_test("t", seconds=PRIOR_SECONDS, unit="u", exclusive="db")

    assert estimate([test], {}) == (test,)
