"""From an engine's times to steps on the time line: in order whatever clocks say, and nothing made up."""

from __future__ import annotations

import pytest

from pipeline.logic.place_times import first_start, lost_seconds, stages_of
from pipeline.logic.records import NOBODY, write_record
from pipeline.model.runs import STAGES
from pipeline.ports.places import PlaceStory

WHOLE = PlaceStory(asked=100.0, scheduled=101.0, pulled=104.0, started=105.0)


def steps(story: PlaceStory, birth: float = 107.0, first: float | None = 109.0) -> list[tuple[str, float, float]]:
    """Names, beginnings, ends."""
    return [(each.name, each.began, each.ended) for each in stages_of(story, birth, first)]


def test_each_step_begins_where_the_last_one_ended() -> None:
    """From asking to the first test."""
    assert steps(WHOLE) == [
        ("scheduled", 100.0, 101.0),
        ("image pulled", 101.0, 104.0),
        ("started", 104.0, 105.0),
        ("born", 105.0, 107.0),
        ("first test", 107.0, 109.0),
    ]


def test_a_step_that_is_not_known_takes_no_time() -> None:
    """Events may be gone: then its time is in the step before."""
    found = steps(PlaceStory(asked=100.0, started=105.0))

    assert [name for name, began, ended in found if ended == began] == ["image pulled", "started"]
    assert found[0] == ("scheduled", 100.0, 105.0)


def test_a_worker_without_tests_has_no_first_one() -> None:
    """Its steps end with its birth."""
    assert [name for name, _, _ in steps(WHOLE, first=None)] == list(STAGES[:-1])


@pytest.mark.parametrize("birth", [107.0 + 3600, 107.0 - 3600])
def test_a_clock_that_is_wrong_by_an_hour_moves_the_steps(birth: float) -> None:
    """To the worker's own clock, by which all its tests are drawn."""
    found = steps(WHOLE, birth, birth + 2)

    assert found[-1] == ("first test", birth, birth + 2)
    assert found[0][1] == birth - 5.0


def test_clocks_that_differ_a_little_never_turn_time_round() -> None:
    """What would be later than the next step is moved to it."""
    found = steps(PlaceStory(asked=100.0, scheduled=110.0, pulled=104.0, started=108.0), birth=107.0)

    assert all(ended >= began for _, began, ended in found)
    assert [began for _, began, _ in found] == sorted(began for _, began, _ in found)


def test_nothing_known_gives_only_what_the_worker_told() -> None:
    """Its birth and its first test."""
    assert steps(PlaceStory()) == [("first test", 107.0, 109.0)]


LINES = [
    write_record("head", NOBODY, 0, NOBODY, {}),
    write_record("start", 0, 1, 0, {"at": 2.0}),
    write_record("final", 0, 1, 0, {"verdict": "passed", "seconds": 1.0}),
    write_record("start", 0, 1, 1, {"at": 3.5}),
]


def test_the_first_start_is_the_first_test() -> None:
    """In seconds from the birth."""
    assert first_start(LINES) == 2.0
    assert first_start(LINES[:1]) is None


def test_what_a_worker_had_begun_is_lost_with_it() -> None:
    """The time of tests without an end."""
    assert lost_seconds(LINES, 10.0) == 6.5
    assert lost_seconds(LINES[:3], 10.0) == 0.0
    assert lost_seconds([*LINES, write_record("death", 0, 1, 1, {"charge": "loss"})], 10.0) == 0.0
