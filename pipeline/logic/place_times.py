"""From what an engine knew of a worker's place to spans on the run's time line, and what losing it cost.

Times come from several machines: they are only put in order, never believed. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pipeline.logic.records import NOBODY, read_record
from pipeline.model.runs import STAGES, Stage
from pipeline.ports.places import PlaceStory

MOST_APART_SECONDS: Final = 900.0
"""More between a place's start and its worker's birth is a clock that is wrong: then the birth is believed."""


def stages_of(story: PlaceStory, birth: float, first_test: float | None) -> tuple[Stage, ...]:
    """Steps from asking for a place to its worker's first test, each named by what it ends with. Seconds since the epoch, by
    the worker's clock; `first_test` too, None: it ran none."""
    told = [story.asked, story.scheduled, story.pulled, story.started]
    shift = birth - story.started if abs(birth - story.started) > MOST_APART_SECONDS else 0.0
    times = [each + shift if each else 0.0 for each in told] + [birth, first_test or 0.0]
    times[:5] = _in_order(times[:5])
    steps = zip(STAGES, times, times[1:], strict=False)
    return tuple(Stage(name=name, began=began, ended=ended) for name, began, ended in steps if began and ended >= began)


def _in_order(times: list[float]) -> list[float]:
    """None later than the next one; a time that is not known becomes the next one's, so that its step takes no time."""
    ordered = list(times)
    for at in range(len(times) - 2, -1, -1):
        ordered[at] = min(times[at], ordered[at + 1]) if times[at] else ordered[at + 1]
    return ordered if any(times[:-1]) else [0.0] * (len(times) - 1) + times[-1:]


def first_start(lines: Iterable[bytes]) -> float | None:
    """Seconds from birth to the first test, as the journal tells."""
    found = [_at(line) for line in lines if line.startswith(b"start ")]
    return min(found, default=None)


def lost_seconds(lines: Iterable[bytes], lifetime: float) -> float:
    """Of the tests that had started and have no end: until the worker's own, by its own clock."""
    open_tests: dict[tuple[int, int], float] = {}
    for line in lines:
        if not line.startswith((b"start ", b"final ", b"death ")):
            continue
        record = read_record(line)
        key = (record.batch, record.test)
        if record.kind == "start" and record.test != NOBODY:
            open_tests[key] = _at(line)
        else:
            open_tests.pop(key, None)
    return sum(max(0.0, lifetime - began) for began in open_tests.values())


def _at(line: bytes) -> float:
    at = read_record(line).body.get("at")
    return float(at) if isinstance(at, int | float) else 0.0
