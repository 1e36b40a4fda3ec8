"""The merged outcome of a run: what gather, reports and history read."""

from __future__ import annotations

from typing import Final

from attrs import field, frozen

from pipeline.model.verdicts import Result

LOCAL: Final = "local"
SSH: Final = "ssh"
"""Launchers whose places are machines."""


@frozen(kw_only=True)
class Loss:
    """One lost worker: for the report's line on losses and their cost."""

    worker: str
    cause: str
    test: str = ""
    repeated_seconds: float = 0.0
    detail: str = ""


STAGES: Final = ("scheduled", "image pulled", "started", "born", "first test")
"""What the steps on a worker's way to its first test end with: it got its node, its image was there, …"""


@frozen(kw_only=True)
class Stage:
    """One step; seconds since the run's first birth."""

    name: str
    """Of `STAGES`."""
    began: float
    """Before the first birth: negative."""
    ended: float

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.ended - self.began


@frozen(kw_only=True)
class WorkerSpan:
    """One worker's life, for timelines; seconds since the run's first birth."""

    worker: str
    slot: int
    place: str
    started: float
    ended: float
    log: str = ""
    node: str = ""
    """The machine its place was on, where the engine tells."""
    stages: tuple[Stage, ...] = ()
    """How it came to its first test, as far as its engine knows; in order, one beginning where another ends."""
    pull_seconds: float = 0.0
    """For images, as its node says."""
    taken: str = ""
    """Why its place was taken away: `preempted`, `evicted`, …; empty: it was not."""
    lost_seconds: float = 0.0
    """Of tests that it had begun and others had to begin again."""
    host: str = ""
    """The machine that its tests ran on, as far as known: that of the list of hosts, an engine's node, else its own name."""
    queue: str = ""
    """Of that host; empty: none."""
    is_remote: bool = False
    """Whether that is a host of a list, so that a person must be told which."""


@frozen(kw_only=True)
class Outcome:
    """A test's result with where and in which attempt it was decided."""

    result: Result
    worker: str
    attempt: int = 1
    start: float = 0.0
    """Seconds since the run's first birth, as the agent reckons; for timelines only."""


@frozen(kw_only=True)
class Conclusion:
    """What a framework did once after all tests: a text for people, and what makes the run red all the same."""

    text: str = ""
    objections: tuple[str, ...] = ()


@frozen(kw_only=True)
class MergedRun:
    """A pure function of the store: one outcome per planned test, in plan order, or its absence by name."""

    run: str
    plan: str
    suites: tuple[str, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    missing: tuple[tuple[str, str], ...] = ()
    """(test, last worker that had it or empty) for each planned test without a verdict: the run is red."""
    errors: tuple[str, ...] = ()
    """Collection errors and other reasons why the run is not trustworthy."""
    losses: tuple[Loss, ...] = ()
    workers: tuple[WorkerSpan, ...] = ()
    late: int = 0
    """Records that came after a seal, not counted."""
    mixed: bool = False
    """Sources changed while the run went on."""
    exit_code: int = 2
    reason: str = ""
    started: float = 0.0
    """Wall clock of the agent at the run's start, for people."""
    seconds: float = 0.0
    counts: dict[str, int] = field(factory=dict)

    def places(self) -> dict[str, WorkerSpan]:
        """Each worker by name."""
        return {each.worker: each for each in self.workers}
