"""The time that a run is said to take is that of the tests that are still to be done."""

from __future__ import annotations

import pytest

from pipeline.logic.pooling import single
from pipeline.stages.remaining import expected_seconds
from tests.logic.suites import planned, uniform


@pytest.mark.parametrize(("done", "seconds"), [(0, 20.0), (10, 15.0), (40, 0.0)])
def test_done_tests_cost_nothing(done: int, seconds: float) -> None:
    """Forty tests of a second on two workers, some of them done before this agent came."""
    tests = uniform(40, 1.0)

    left = expected_seconds(planned(tests, 2), single(tests, 2), {test.id for test in tests[:done]})
    assert left == pytest.approx(seconds)
