"""At most N tests use a resource at once, because there are N lanes and each is one batch."""

from __future__ import annotations

from collections import Counter

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as some

from pipeline.errors import UsageError
from pipeline.logic.batching import make_batches
from pipeline.logic.lanes import in_lanes
from pipeline.model.tests import Test


def user(name: str, seconds: float = 1.0, *, suite: str = "s", unit: str = "", exclusive: str = "disk") -> Test:
    """A test that uses the resource."""
    return Test(id=f"{suite}::{name}", suite=suite, native=name, seconds=seconds, unit=unit, exclusive=exclusive)


@given(
    seconds=some.lists(some.floats(0, 100), min_size=1, max_size=40),
    limit=some.integers(1, 5),
    units=some.lists(some.sampled_from(["", "", "u", "v"]), min_size=40, max_size=40),
)
def test_no_more_batches_than_the_limit_use_it(seconds: list[float], limit: int, units: list[str]) -> None:
    """Whatever is planned: the batches that hold its tests are at most as many, and every test is in one of them."""
    tests = [user(f"t{n}", each, unit=units[n]) for n, each in enumerate(seconds)]
    tests += [user(f"free{n}", exclusive="") for n in range(10)]

    planned = in_lanes(tests, {"disk": limit})
    batches = make_batches(planned, 4)

    using = [batch for batch in batches if any(tests[at].exclusive for at in batch.tests)]
    assert len(using) <= limit
    assert sorted(at for batch in batches for at in batch.tests) == list(range(len(tests)))
    assert [evolve(test, exclusive="") for test in planned] == [evolve(test, exclusive="") for test in tests]


def test_lanes_are_even() -> None:
    """The longest tests are shared out first."""
    planned = in_lanes([user("a", 4), user("b", 3), user("c", 3), user("d", 2)], {"disk": 2})

    loads: Counter[str] = Counter()
    for test in planned:
        loads[test.exclusive] += int(test.seconds)
    assert loads == {"disk 1": 6, "disk 2": 6}


def test_other_resources_stay_as_they_are() -> None:
    """Only what has a limit is shared out."""
    tests = [user("a", exclusive="other"), user("b", exclusive="")]

    assert list(in_lanes(tests, {"disk": 2})) == tests


def test_a_lane_is_one_suites() -> None:
    """A batch cannot hold two suites; the suite with more work gets more lanes, and too few are refused."""
    tests = [user(f"t{n}", suite=suite) for suite, count in (("long", 6), ("short", 1)) for n in range(count)]

    lanes = {(test.suite, test.exclusive) for test in in_lanes(tests, {"disk": 3})}
    assert lanes == {("long", "disk 1"), ("long", "disk 2"), ("short", "disk 3")}
    with pytest.raises(UsageError, match="at most 1 tests may use 'disk', but suites 'long', 'short' do"):
        in_lanes(tests, {"disk": 1})
