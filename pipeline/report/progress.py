"""How far a run is, derived from its events alone: counts, who runs what, when it will be done.

Knows no stream and reads no clock: the moment is given with each event.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from attrs import define, field

from pipeline.model import events as e
from pipeline.model.verdicts import Verdict

PACE_SECONDS: Final = 30.0
"""From then on a run that is slower than its estimates is taken for slow to its end; before, a few tests say little."""


@define
class WorkerState:
    """What one worker does now."""

    slot: int
    test: str = ""
    since: float = 0.0
    batch_left: int = 0


@define
class Progress:
    """The state behind both consoles. Times are seconds on the clock of whoever calls."""

    estimates: Mapping[str, float] = field(factory=dict)
    """Seconds by test id, as planned; may stay empty, then the share of done tests is used."""
    phase: str = "starting"
    files: int = 0
    collected: int = 0
    total: int = 0
    done: int = 0
    bad: int = 0
    flaky: int = 0
    lost_workers: int = 0
    expected_seconds: float = 0.0
    run_began: float = 0.0
    tests_began: float = 0.0
    """When the first one did: images are pulled and workers start before."""
    done_before: int = 0
    estimated: float = 0.0
    estimated_left: float = 0.0
    workers: dict[str, WorkerState] = field(factory=dict)
    waiting: dict[str, tuple[int, str]] = field(factory=dict)
    """Slot and reason of workers that wait for their places."""
    given_up: dict[str, str] = field(factory=dict)
    """Machines that were set aside, and why."""
    slots: dict[str, int] = field(factory=dict)
    """Of all workers that there were."""

    def take(self, event: e.Event, now: float) -> None:
        """Move on by one event."""
        kind = type(event)
        if kind is e.TestFinished:
            self._finished(event)  # type: ignore[arg-type]
        elif kind is e.TestStarted:
            self._started(event, now)  # type: ignore[arg-type]
        elif isinstance(event, e.FileCollected):
            self.files += 1
            self.collected += event.tests
        elif isinstance(event, e.RunStarted):
            self._run_started(event, now)
        elif isinstance(event, e.WorkerWaiting):
            self._waits(event)
        elif isinstance(event, e.WorkerStarted):
            self.waiting.pop(event.worker, None)
            self.slots[event.worker] = event.slot
            self.workers[event.worker] = WorkerState(event.slot, since=now)
        elif isinstance(
            event, e.WorkerReady
        ):  # A worker elsewhere that lost its harness has another, and no other name.
            self.workers.setdefault(event.worker, WorkerState(self.slots.get(event.worker, 0), since=now))
        elif isinstance(event, e.WorkerLost | e.WorkerEnded | e.WorkerTaken):
            self.workers.pop(event.worker, None)
            self.waiting.pop(event.worker, None)
            self.lost_workers += isinstance(event, e.WorkerLost)
        elif isinstance(event, e.PlaceGivenUp):
            self.given_up[event.place] = event.why
        elif isinstance(event, e.CollectionStarted):
            self.phase = "collecting"
        elif isinstance(event, e.CollectionFinished):
            # Plan, and images where workers run them, which may take minutes: their notices say how far they are.
            self.phase, self.collected, self.files = "preparing", event.tests, event.files
        elif isinstance(event, e.RunClosed):
            self.phase = "closing"

    @property
    def running(self) -> int:
        """How many tests run now, as far as it was told."""
        return sum(1 for worker in self.workers.values() if worker.test)

    def plan(self, estimates: Mapping[str, float]) -> None:
        """Take the plan's estimates, so that the end can be foretold by seconds instead of tests."""
        self.estimates = estimates
        self.estimated = self.estimated_left = sum(estimates.values())

    def seconds_left(self, now: float) -> float | None:
        """Expected seconds until the end, or None while nothing is known."""
        left = self.total - self.done
        if self.phase != "running" or left <= 0:
            return None
        spent = now - self.run_began
        fresh = self.done - self.done_before
        if self.estimates and self.workers:
            estimated_left = max(0.0, self.estimated_left)
            return max(estimated_left / len(self.workers), estimated_left * self._pace(now))
        if fresh:
            return spent / fresh * left
        return max(0.0, self.expected_seconds - spent) or None

    def _pace(self, now: float) -> float:
        """Seconds of this run that one estimated second has taken; 0 while little is known."""
        estimated = self.estimated - self.estimated_left
        if not self.tests_began or now - self.tests_began < PACE_SECONDS or estimated <= 0:
            return 0.0
        return (now - self.tests_began) / estimated

    def _run_started(self, event: e.RunStarted, now: float) -> None:
        self.phase, self.run_began, self.tests_began = "running", now, 0.0
        self.total, self.done, self.done_before = event.tests, event.done_before, event.done_before
        self.expected_seconds = event.expected_seconds

    def _waits(self, event: e.WorkerWaiting) -> None:
        self.waiting.pop(event.worker, None)
        if event.reason:
            self.waiting[event.worker] = (event.slot, event.text)

    def _started(self, event: e.TestStarted, now: float) -> None:
        self.tests_began = self.tests_began or now
        worker = self.workers.get(event.worker)
        if worker is not None:
            worker.test, worker.since = event.test, now

    def _finished(self, event: e.TestFinished) -> None:
        result = event.result
        self.done += 1
        if result.verdict is not Verdict.PASSED and not result.verdict.is_good:
            self.bad += 1
        elif result.earlier:
            self.flaky += 1
        if self.estimates:
            self.estimated_left -= self.estimates.get(result.test, 0.0)
        worker = self.workers.get(event.worker)
        if worker is not None:
            worker.test = ""
