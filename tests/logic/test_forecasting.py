"""A forecast says what more or fewer workers would change, and what bounds the run."""

from __future__ import annotations

import pytest

from pipeline.logic.forecasting import Forecast, forecast, wall_seconds, workers_for
from pipeline.logic.pooling import apart, shared, single
from pipeline.model.pools import Pool
from pipeline.model.tests import Test
from tests.logic.suites import a_test, uniform


def foreseen(tests: list[Test], workers: int) -> Forecast:
    """For workers of one kind."""
    return forecast(tests, single(tests, workers))


def of_two_pools() -> tuple[list[Test], list[Pool]]:
    """10 s of light tests for two workers, 40 s of heavy ones for four."""
    tests = [
        *(a_test(f"l{at}", 0.1) for at in range(100)),
        *(a_test(f"h{at}", 0.4, suite="heavy") for at in range(100)),
    ]
    return tests, [
        Pool(name="default", first=0, size=2, suites=("unit",)),
        Pool(name="big", first=0, size=4, suites=("heavy",)),
    ]


def test_half_and_twice_the_workers_are_foreseen() -> None:
    """Even work scales."""
    points = foreseen(uniform(1600, 0.1, files=40), 8).points

    assert [point.workers for point in points] == [4, 8, 16]
    assert [point.seconds for point in points] == pytest.approx([40, 20, 10], rel=0.05)


def test_the_longest_test_bounds_the_run() -> None:
    """It is named, and more workers than it leaves work for are of no use."""
    found = foreseen([*uniform(100, 0.1), a_test("long", 10.0, file="z.py")], 8)

    assert found.longest[0].name == "unit::z.py::long"
    assert found.least_seconds == 10.0
    assert found.most_workers == 2
    assert found.points[-1].seconds == pytest.approx(10.0, rel=0.01)


def test_a_unit_bounds_the_run_as_a_whole() -> None:
    """It cannot be split, so it counts as one."""
    longest = foreseen([a_test(f"t{at}", 2.0, unit="C") for at in range(4)], 4).longest[0]

    assert (longest.name, longest.seconds, longest.tests) == ("unit::C", 8.0, 4)


def test_the_heaviest_files_are_named() -> None:
    """Where to look when the suite is too slow."""
    files = foreseen([*uniform(10, 1.0), a_test("t", 3.0, file="b.py")], 2).files

    assert [(file.name, file.seconds, file.tests) for file in files] == [
        ("unit::f0.py", 10.0, 10),
        ("unit::b.py", 3.0, 1),
    ]


def test_pools_with_workers_of_their_own_wait_for_the_slowest() -> None:
    """10 s on two workers and 40 s on four take 10 s; the points say how many workers that is over all."""
    tests, pools = of_two_pools()
    points = forecast(tests, apart(pools)).points

    assert [point.workers for point in points] == [3, 6, 12]
    assert [point.seconds for point in points] == pytest.approx([20, 10, 5], rel=0.1)


def test_pools_that_share_workers_share_the_work() -> None:
    """The light tests may use two of the four workers, the heavy ones all: 50 s on four."""
    tests, pools = of_two_pools()
    points = forecast(tests, shared(pools)).points

    assert [point.workers for point in points] == [2, 4, 8]
    assert points[1].seconds == pytest.approx(12.5, rel=0.1)


def test_a_target_of_pools_with_workers_of_their_own_is_the_sum_of_what_each_needs() -> None:
    """5 s: two workers for 10 s, eight for 40 s."""
    tests, pools = of_two_pools()

    assert workers_for(tests, 5.0, pools=apart(pools)) == pytest.approx(10, abs=2)
    assert workers_for(tests, 0.3, pools=apart(pools)) is None


@pytest.mark.parametrize("target", [100.0, 10.0, 3.0])
def test_workers_for_a_target_reach_it(target: float) -> None:
    """The number found is enough, and nearly the least that could be."""
    tests = uniform(1000, 0.1, files=40)
    workers = workers_for(tests, target)

    assert workers is not None
    assert wall_seconds(tests, workers) <= target
    assert workers <= 1.2 * 100 / target + 2


@pytest.mark.parametrize("target", [5.0, 0.0, -1.0])
def test_no_number_of_workers_beats_the_longest_test(target: float) -> None:
    """Then there is no answer."""
    assert workers_for([a_test("long", 9.0), a_test("t", 1.0)], target) is None


def test_nothing_to_do_needs_no_more_than_one() -> None:
    """An empty selection is no error here."""
    assert workers_for([], 1.0) == 1
    assert foreseen([], 4).least_seconds == 0.0
