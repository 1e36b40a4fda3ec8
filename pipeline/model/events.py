"""Everything that happens in a run, as frozen values; whatever a person sees is derived from these.

One JSON object a line in `events.jsonl`: `{"event": "TestFinished", "time": …, …fields}`. No text for people here.
"""

from __future__ import annotations

from attrs import field, frozen

from pipeline.model.verdicts import Result


@frozen(kw_only=True)
class Event:
    """Base of all events. `time` is the agent's wall clock in seconds since the epoch, for people only."""

    time: float = 0.0


@frozen(kw_only=True)
class CollectionStarted(Event):
    """Harnesses have been asked which files there are."""

    suites: tuple[str, ...]
    harnesses: int
    interpreters: tuple[str, ...] = ()
    """For people: each interpreter that was found, with its version and the place it was found in."""


@frozen(kw_only=True)
class FileCollected(Event):
    """One file has been collected, by one harness."""

    suite: str
    file: str
    tests: int
    errors: int = 0
    seconds: float = 0.0


@frozen(kw_only=True)
class CollectionFinished(Event):
    """All files are known; `errors` are texts that make the run red."""

    tests: int
    files: int
    deselected: int = 0
    errors: tuple[str, ...] = ()
    seconds: float = 0.0


@frozen(kw_only=True)
class RunStarted(Event):
    """A run begins or goes on."""

    run: str
    plan: str
    tests: int
    batches: int
    workers: int
    expected_seconds: float = 0.0
    done_before: int = 0
    """Tests that have their final record from before: more than 0 in a resumed run."""
    store: str = ""


@frozen(kw_only=True)
class VerdictsTaken(Event):
    """Good verdicts of an earlier run stand in this one, because all that decided them is equal."""

    run: str
    source: str
    """The run that they are taken from."""
    tests: int
    left: int
    """Tests that are still to run."""
    age_seconds: float = 0.0
    """Since that run began."""


@frozen(kw_only=True)
class WorkerStarted(Event):
    """A worker was born."""

    worker: str
    slot: int
    launcher: str
    place: str
    """Host and process id, pod name, container id: whatever a person needs to find it."""
    log: str = ""
    """Path of its live log."""


@frozen(kw_only=True)
class WorkerWaiting(Event):
    """A worker that was hired elsewhere waits for its place. An empty reason: not any more."""

    worker: str
    slot: int
    reason: str = ""
    """A word: `unschedulable`, `quota`, `image`, `pulling`, …"""
    text: str = ""


@frozen(kw_only=True)
class WorkerTaken(Event):
    """A worker's place was taken away for reasons of its engine's own, and it ended in order or had not begun; never a
    loss. One that could not end in order is a `WorkerLost` with that cause."""

    worker: str
    cause: str
    """`preempted`, `evicted`, `drained`, `deleted`, `node-lost`, `rejected`, `fenced`."""
    detail: str = ""


@frozen(kw_only=True)
class WorkerReady(Event):
    """Its harness has said hello."""

    worker: str
    seconds: float


@frozen(kw_only=True)
class BatchClaimed(Event):
    """A worker owns a batch attempt."""

    worker: str
    batch: int
    attempt: int
    tests: int
    stolen: bool = False


@frozen(kw_only=True)
class TestStarted(Event):
    """A test is running."""

    __test__ = False
    worker: str
    test: str
    attempt: int = 1


@frozen(kw_only=True)
class TestFinished(Event):
    """A test has its final record; `attempt` is the batch's claim attempt."""

    __test__ = False
    worker: str
    result: Result
    attempt: int = 1


@frozen(kw_only=True)
class GroupFinished(Event):
    """All tests of a group have their verdicts: of one file, or of one key of a set-up that they share."""

    suite: str
    group: str
    counts: dict[str, int] = field(factory=dict)
    """Verdicts to numbers, of those that ran now."""
    done_before: int = 0
    """Tests of it that had their verdicts before this agent came."""
    workers: tuple[str, ...] = ()
    seconds: float = 0.0
    """From its first start to its last verdict, set-ups included, as the agent's clock tells."""


@frozen(kw_only=True)
class TestSlow(Event):
    """A test has been running for longer than `slow_after_seconds`; said again each time that span passes."""

    __test__ = False
    worker: str
    test: str
    seconds: float


@frozen(kw_only=True)
class WorkerLost(Event):
    """A worker ended without finishing its work; never a test failure by itself."""

    worker: str
    cause: str
    """`crashed` (the harness died unasked), `silent`, `fenced`, `stopped-process`, `store`, `unknown`."""
    test: str = ""
    """The test in flight, if one is known."""
    proof: bool = False
    repeated_seconds: float = 0.0
    """Time of unfinished tests that must run again: what the loss cost."""
    detail: str = ""


@frozen(kw_only=True)
class PlaceGivenUp(Event):
    """Nobody can work any more on a machine that was to take part; a notice has told of it when it happened."""

    place: str
    why: str


@frozen(kw_only=True)
class WorkerEnded(Event):
    """A worker ended in order."""

    worker: str
    tests: int
    busy_seconds: float = 0.0


@frozen(kw_only=True)
class Notice(Event):
    """Something a person should know; `level` is `info`, `warning` or `error`."""

    level: str
    text: str


@frozen(kw_only=True)
class StopAsked(Event):
    """A first signal has come: what runs is ended and torn down from now on."""

    signal: int


@frozen(kw_only=True)
class RunClosed(Event):
    """The run has ended. `counts` maps verdicts to numbers; `missing` names tests without a verdict."""

    run: str
    exit_code: int
    counts: dict[str, int] = field(factory=dict)
    missing: tuple[str, ...] = ()
    seconds: float = 0.0
    open: bool = False
    """Whether the same command will go on with this run."""
    reason: str = ""
