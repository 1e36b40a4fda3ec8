"""A worker's own log, for people: one line for each batch it claims and for what went wrong, on standard output."""

from __future__ import annotations

import time
from pathlib import Path

from pipeline.model.events import BatchClaimed, Event, Notice, TestFinished, TestSlow, WorkerLost, WorkerStarted

LAST_CHARACTERS = 2000
"""Of a harness's output that are said where it would not begin."""


class Log:
    """Takes events."""

    def __init__(self) -> None:
        self._tests = self._bad = 0
        self._file: Path | None = None

    def __call__(self, event: Event) -> None:
        """Take one."""
        if isinstance(event, TestFinished):
            self._take(event)
        elif isinstance(event, BatchClaimed):
            self.say(f"{self._tests} tests done, {self._bad} bad; claims batch {event.batch} with {event.tests} more")
        elif isinstance(event, WorkerStarted):
            self.say(f"worker {event.worker} begins")
        elif isinstance(event, WorkerLost):
            self.say(f"harness lost: {event.cause} {event.detail} {event.test}".rstrip())
        elif isinstance(event, TestSlow):
            self.say(f"slow, {event.seconds:g} s so far: {event.test}")
        elif isinstance(event, Notice):
            self.say(f"{event.level}: {event.text}")

    def _take(self, event: TestFinished) -> None:
        self._tests += 1
        if event.result.verdict.is_bad:
            self._bad += 1
            self.say(f"{event.result.verdict.value}: {event.result.test}")

    def keep(self, path: Path) -> None:
        """Write everything from now on into a file, too, which goes home with the other logs."""
        self._file = path

    def say(self, text: str) -> None:
        """Print a line at once."""
        line = f"{time.strftime('%H:%M:%S', time.gmtime())} {text}"
        print(line, flush=True)
        if self._file is not None:
            try:
                with self._file.open("a", encoding="utf-8", errors="replace") as file:
                    file.write(f"{line}\n")
            except OSError:
                self._file = None  # The disk is full, or the folder is gone: it is still printed.

    def say_last_words(self, scratch: Path) -> None:
        """Print the end of what the latest harness said: its file goes with the container."""
        logs = sorted(scratch.glob("agent-*/slot-*/*/worker.log"), key=lambda path: path.stat().st_mtime_ns)
        text = logs[-1].read_text("utf-8", "replace")[-LAST_CHARACTERS:] if logs else ""
        for line in text.splitlines():
            self.say("".join(char if char.isprintable() else "?" for char in line))
