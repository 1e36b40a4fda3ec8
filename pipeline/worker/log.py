"""A worker's own log, for people: one line for each batch and for what went wrong, on standard output."""

from __future__ import annotations

import time

from pipeline.model.events import BatchClaimed, Event, Notice, TestFinished, TestSlow, WorkerLost, WorkerStarted


class Log:
    """Takes events."""

    def __init__(self) -> None:
        self._batch: BatchClaimed | None = None
        self._tests = self._bad = 0
        self._since = time.monotonic()

    def __call__(self, event: Event) -> None:
        """Take one."""
        if isinstance(event, TestFinished):
            self._tests += 1
            self._bad += event.result.verdict.is_bad
        elif isinstance(event, BatchClaimed):
            self.end_batch()
            self._batch, self._since = event, time.monotonic()
        elif isinstance(event, WorkerStarted):
            self.say(f"worker {event.worker} begins")
        elif isinstance(event, WorkerLost):
            self.say(f"harness lost: {event.cause} {event.detail} {event.test}".rstrip())
        elif isinstance(event, TestSlow):
            self.say(f"slow, {event.seconds:g} s so far: {event.test}")
        elif isinstance(event, Notice):
            self.say(f"{event.level}: {event.text}")

    def end_batch(self) -> None:
        """Say how the batch went that was claimed last."""
        if self._batch is not None:
            seconds = time.monotonic() - self._since
            self.say(f"batch {self._batch.batch}: {self._tests} tests, {self._bad} bad, {seconds:.1f} s")
        self._batch, self._tests, self._bad = None, 0, 0

    def say(self, text: str) -> None:
        """Print a line at once."""
        print(time.strftime("%H:%M:%S", time.gmtime()), text, flush=True)
