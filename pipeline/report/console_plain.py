"""The console for CI logs and pipes: whole lines, each failure at once, progress now and then.

Knows no terminal and never moves a cursor. Under GitHub Actions failures become annotations too.
"""

from __future__ import annotations

import threading
from typing import Final

from attrs import define, field

from pipeline.model import events as e
from pipeline.report.annotations import LIMIT, annotation, guarded
from pipeline.report.console import ConsoleReporter
from pipeline.report.inert import inert_line
from pipeline.report.phrases import count, duration, number
from pipeline.report.ticker import Ticker

INTERVAL_SECONDS: Final = 30.0
"""The longest silence while tests run."""
STEP_SECONDS: Final = 5.0
"""The shortest span between two progress lines, however fast tests are done."""
STEPS: Final = 10
"""A progress line for each tenth of the run, if that is not too often."""


@define(slots=False)
class PlainConsole(ConsoleReporter):
    """Lines on a stream that need not be a terminal."""

    github: bool = field(default=False, kw_only=True)
    interval_seconds: float = field(default=INTERVAL_SECONDS, kw_only=True)
    _lock: threading.RLock = field(factory=threading.RLock)
    _ticker: Ticker | None = None
    _dead: bool = False
    _said_at: float = 0.0
    _said_done: int = 0
    _annotations: int = 0

    def start(self) -> None:
        """Begin to look at the clock, so that a long test is no silence."""
        if self._ticker is None:
            self._ticker = Ticker(self.tick, min(1.0, self.interval_seconds))
        self._ticker.start()

    def stop(self) -> None:
        """End looking at the clock."""
        if self._ticker is not None:
            self._ticker.stop()

    def event(self, event: e.Event) -> None:
        """Take an event; every tenth of the run is worth a line."""
        with self._lock:
            super().event(event)
            kind = type(event)
            if kind is e.TestStarted:
                return
            if isinstance(event, e.RunStarted):
                self._said_at, self._said_done = self.now(), event.done_before
            elif self._is_step_done() and self.now() - self._said_at >= STEP_SECONDS:
                self._say_progress()

    def tick(self) -> None:
        """Say how far the run is if nothing was said of it for a while."""
        with self._lock:
            if self.progress.phase == "running" and self.now() - self._said_at >= self.interval_seconds:
                self._say_progress()

    def say(self, text: str) -> None:
        """Write a block in one piece; a reader that has gone away is no error of the run."""
        with self._lock:
            self._write(guarded(text) if self.github else text)

    def say_failure(self, event: e.TestFinished) -> None:
        """Show a bad result in full, and mark its line where GitHub can show it."""
        super().say_failure(event)
        if self.github and self._annotations < LIMIT:
            self._annotations += 1
            self._write(annotation(event.result, self.locate))

    def _is_step_done(self) -> bool:
        progress = self.progress
        return (progress.done - self._said_done) * STEPS >= progress.total > progress.done

    def _say_progress(self) -> None:
        self._said_at, self._said_done = self.now(), self.progress.done
        self._write(progress_line(self))

    def _write(self, text: str) -> None:
        if self._dead:
            return
        encoding = getattr(self.stream, "encoding", None) or "utf-8"
        try:
            self.stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
            self.stream.flush()
        except (OSError, ValueError):
            self._dead = True


def progress_line(console: PlainConsole) -> str:
    """`1,200/5,000 done, 3 not good, 4 workers, about 2 min 05 s left`."""
    progress, now = console.progress, console.now()
    parts = [f"{number(min(progress.done, progress.total))}/{number(progress.total)} done"]
    if progress.bad:
        parts.append(f"{number(progress.bad)} not good")
    parts.append(count(len(progress.workers), "worker"))
    if progress.waiting:
        parts.append(f"{len(progress.waiting)} more waiting for a place")
    left = progress.seconds_left(now)
    if left is not None:
        parts.append(f"about {duration(left)} left")
    running = [(state.since, state.test, name) for name, state in progress.workers.items() if state.test]
    if running and now - min(running)[0] >= INTERVAL_SECONDS:
        since, test, name = min(running)
        parts.append(f"{inert_line(test)} running for {duration(now - since)} on {name}")
    return ", ".join(parts)
