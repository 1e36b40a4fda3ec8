"""Claims about `events.jsonl` and the JSON form of events."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import EngineError
from pipeline.model import events as e
from pipeline.model.event_codec import EVENTS, event_from_json, event_to_json
from pipeline.report.events_file import CHUNK_EVENTS, EventsFile, event_line, read_events
from tests.report.samples import HOSTILE, failed, merged, result

ONE_OF_EACH: list[e.Event] = [
    e.CollectionStarted(time=1.0, suites=("unit", "it"), harnesses=2),
    e.FileCollected(time=1.5, suite="unit", file="test_a.py", tests=3, errors=1, seconds=0.1),
    e.CollectionFinished(time=2.0, tests=3, files=1, deselected=1, errors=(HOSTILE,), seconds=0.5),
    e.RunStarted(time=3.0, run="r", plan="p", tests=3, batches=2, workers=2, expected_seconds=4.5, store="s"),
    e.StopAsked(time=3.1, signal=2),
    e.VerdictsTaken(time=3.2, run="r", source="q", tests=2, left=1, age_seconds=60.0),
    e.WorkerWaiting(time=3.5, worker="w0", slot=0, reason="quota", text=HOSTILE),
    e.WorkerTaken(time=3.6, worker="w9", cause="preempted", detail=HOSTILE),
    e.WorkerStarted(time=4.0, worker="w0", slot=0, launcher="local", place="host pid 1", log="w0.log"),
    e.WorkerReady(time=4.5, worker="w0", seconds=0.5),
    e.BatchClaimed(time=5.0, worker="w0", batch=1, attempt=1, tests=3, stolen=True),
    e.TestStarted(time=6.0, worker="w0", test=HOSTILE, attempt=2),
    e.TestFinished(time=7.0, worker="w0", result=result(HOSTILE), attempt=2),
    e.TestFinished(time=7.0, worker="w0", result=failed(HOSTILE, earlier=(failed(HOSTILE),))),
    e.GroupFinished(
        time=7.5, suite="s", group=HOSTILE, counts={"failed": 1}, done_before=2, workers=("w0",), seconds=1.0
    ),
    e.TestSlow(time=8.0, worker="w0", test="t", seconds=60.0),
    e.WorkerLost(time=9.0, worker="w0", cause="crashed", test="t", proof=True, repeated_seconds=1.0, detail=HOSTILE),
    e.PlaceGivenUp(time=9.5, place="lab2", why=HOSTILE),
    e.WorkerEnded(time=10.0, worker="w0", tests=3, busy_seconds=2.0),
    e.Notice(time=11.0, level="warning", text=HOSTILE),
    e.RunClosed(time=12.0, run="r", exit_code=1, counts={"failed": 1}, missing=("t",), seconds=9.0, reason="why"),
]


def test_every_kind_of_event_comes_back_equal(tmp_path: Path) -> None:
    """A later reader sees exactly what the live consoles saw."""
    file = EventsFile(tmp_path / "new" / "reports")
    for event in ONE_OF_EACH:
        file.event(event)

    (path,) = file.finish(merged())

    assert list(read_events(Path(path))) == ONE_OF_EACH


def test_no_kind_of_event_is_left_out_of_these_claims() -> None:
    """A new event must be added to the list above."""
    assert {type(event).__name__ for event in ONE_OF_EACH} == set(EVENTS)


@pytest.mark.parametrize("event", ONE_OF_EACH, ids=lambda event: type(event).__name__)
def test_a_line_put_together_by_hand_says_the_same_as_the_encoder(event: e.Event) -> None:
    """The short way for the two commonest events is only faster."""
    line = event_line(event)

    assert line.isascii()
    assert line.count("\n") == 1
    assert event_from_json(json.loads(line)) == event_from_json(json.loads(json.dumps(event_to_json(event))))


def test_a_torn_last_line_is_left_out(tmp_path: Path) -> None:
    """An agent that died while writing leaves a file that can be read up to there."""
    path = tmp_path / "events.jsonl"
    whole = "".join(map(event_line, ONE_OF_EACH))
    path.write_text(whole[:-5], "ascii")

    assert list(read_events(path)) == ONE_OF_EACH[:-1]


@pytest.mark.parametrize(
    "line", ["{}", "[]", "no json", '{"event": "Surprise"}', '{"event": "TestStarted"}', "[" * 5000]
)
def test_what_is_no_event_is_refused_with_its_line(tmp_path: Path, line: str) -> None:
    """Damage is named, not skipped."""
    path = tmp_path / "events.jsonl"
    path.write_text(event_line(ONE_OF_EACH[0]) + line + "\n", "ascii")

    with pytest.raises(ValueError, match=r"line 2 of .* is no event"):
        list(read_events(path))


def test_events_are_on_disk_while_the_run_goes_on(tmp_path: Path) -> None:
    """A second of events at most waits in memory, so a person can follow the file."""
    file = EventsFile(tmp_path)
    file.event(e.Notice(time=100.0, level="info", text="a"))
    file.event(e.Notice(time=100.5, level="info", text="b"))
    file.event(e.Notice(time=101.6, level="info", text="c"))

    seen = list(read_events(file.path))
    file.finish(merged())

    assert len(seen) == 3


def test_a_burst_is_written_in_chunks(tmp_path: Path) -> None:
    """Thousands of events a second cost one write for each chunk."""
    file = EventsFile(tmp_path)
    for _ in range(CHUNK_EVENTS + 1):
        file.event(e.Notice(level="info", text="x"))

    seen = list(read_events(file.path))
    file.finish(merged())

    assert len(seen) == CHUNK_EVENTS


def test_a_full_disk_is_said_at_the_end_and_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An event must never raise; the report is missing, and that is said."""

    def full(*_args: Any, **_more: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("builtins.open", full)
    file = EventsFile(tmp_path)
    file.event(ONE_OF_EACH[-1])

    with pytest.raises(EngineError, match="No space left on device"):
        file.finish(merged())
