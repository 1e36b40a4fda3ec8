"""`events.jsonl`: every event of a run, one JSON object a line, written while the run goes on and read back later.

Events are encoded and written in chunks, because there are two or more for every test. A process that dies leaves
whole lines and at most one torn one at the end, which the reader leaves out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from json.encoder import encode_basestring_ascii as quoted
from pathlib import Path
from typing import BinaryIO, Final

from pipeline.model.event_codec import event_from_json, event_to_json
from pipeline.model.events import Event, RunClosed, TestFinished, TestStarted
from pipeline.model.runs import MergedRun
from pipeline.report.writing import not_written

CHUNK_EVENTS: Final = 256
CHUNK_SECONDS: Final = 1.0
_encode: Final = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


class EventsFile:
    """A reporter that writes each event down. `finish` says where, and raises `EngineError` if that failed."""

    name = "events"

    def __init__(self, directory: Path) -> None:
        self.path = directory / "events.jsonl"
        self._file: BinaryIO | None = None
        self._waiting: list[Event] = []
        self._written = 0.0
        self._error: OSError | None = None

    def event(self, event: Event) -> None:
        """Take an event; a chunk is written when it is large, a second old, or the last."""
        waiting = self._waiting
        waiting.append(event)
        if len(waiting) >= CHUNK_EVENTS or event.time - self._written > CHUNK_SECONDS or type(event) is RunClosed:
            self.flush()

    def flush(self) -> None:
        """Write what waits. After an error nothing more is tried: the file would have a hole."""
        waiting, self._waiting = self._waiting, []
        if not waiting or self._error is not None:
            return
        self._written = waiting[-1].time
        try:
            if self._file is None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._file = open(self.path, "wb")  # noqa: SIM115
            self._file.write("".join(map(event_line, waiting)).encode("ascii"))
            self._file.flush()
        except OSError as error:
            self._error = error

    def finish(self, run: MergedRun) -> Sequence[str]:
        """Write the rest and close."""
        self.flush()
        if self._error is not None:
            raise not_written(self.path, self._error) from self._error
        if self._file is None:
            return ()
        self._file.close()
        return (str(self.path),)


def event_line(event: Event) -> str:
    """The line of an event, pure ASCII. The two kinds that come for every test are put together by hand."""
    kind = type(event)
    if kind is TestStarted:
        assert isinstance(event, TestStarted)
        return (
            f'{{"event":"TestStarted","time":{event.time!r},"worker":{quoted(event.worker)},'
            f'"test":{quoted(event.test)},"attempt":{event.attempt}}}\n'
        )
    if kind is TestFinished:
        assert isinstance(event, TestFinished)
        if _is_plain(event):
            return _plain_line(event)
    return _encode(event_to_json(event)) + "\n"


def _is_plain(event: TestFinished) -> bool:
    """Whether the result says no more than that and how long it took."""
    result = event.result
    return not (result.message or result.sections or result.properties or result.earlier or result.exception)


def _plain_line(event: TestFinished) -> str:
    result = event.result
    phases = ",".join(
        f'{{"when":{quoted(phase.when)},"outcome":{quoted(phase.outcome)},"seconds":{phase.seconds!r}'
        + (f',"details":{quoted(phase.details)}}}' if phase.details else "}")
        for phase in result.phases
    )
    return (
        f'{{"event":"TestFinished","time":{event.time!r},"worker":{quoted(event.worker)},'
        f'"test":{quoted(result.test)},"attempt":{event.attempt},"result":{{"verdict":"{result.verdict.value}",'
        f'"started":{result.started!r},"seconds":{result.seconds!r},"phases":[{phases}],"tries":{result.tries}}}}}\n'
    )


def read_events(path: Path) -> Iterator[Event]:
    """The events of a file in order; a torn last line is left out. Raises `ValueError` with the line's number."""
    with open(path, "rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.endswith(b"\n"):
                return
            try:
                yield event_from_json(json.loads(line))
            except (ValueError, RecursionError) as error:
                raise ValueError(f"line {number} of {str(path)!r} is no event: {error}") from error
