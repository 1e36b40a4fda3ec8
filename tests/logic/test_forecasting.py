"""A forecast says what more or fewer workers would change, and what bounds the run."""

from __future__ import annotations

import pytest

from pipeline.logic.forecasting import forecast, wall_seconds, workers_for
from tests.logic.suites import a_test, uniform


def test_half_and_twice_the_workers_are_foreseen() -> None:
    """Even work scales."""
    points = forecast(uniform(1600, 0.1, files=40), 8).points

    assert [point.workers for point in points] == [4, 8, 16]
    assert [point.seconds for point in points] == pytest.approx([40, 20, 10], rel=0.05)


def test_the_longest_test_bounds_the_run() -> None:
    """It is named, and more workers than it leaves work for are of no use."""
    found = forecast([*uniform(100, 0.1), a_test("long", 10.0, file="z.py")], 8)

    assert found.longest[0].name == "unit::z.py::long"
    assert found.least_seconds == 10.0
    assert found.most_workers == 2
    assert found.points[-1].seconds == pytest.approx(10.0, rel=0.01)


def test_a_unit_bounds_the_run_as_a_whole() -> None:
    """It cannot be split, so it counts as one."""
    longest = forecast([a_test(f"t{at}", 2.0, unit="C") for at in range(4)], 4).longest[0]

    assert (longest.name, longest.seconds, longest.tests) == ("unit::C", 8.0, 4)


def test_the_heaviest_files_are_named() -> None:
    """Where to look when the suite is too slow."""
    files = forecast([*uniform(10, 1.0), a_test("t", 3.0, file="b.py")], 2).files

    assert [(file.name, file.seconds, file.tests) for file in files] == [
        ("unit::f0.py", 10.0, 10),
        ("unit::b.py", 3.0, 1),
    ]


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
    assert forecast([], 4).least_seconds == 0.0
