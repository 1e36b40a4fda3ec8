"""Protocols for everything outside: what the protocol and the stages may ask of the world.

Each has one contract suite in `pipeline/contracts`, passed by the real adapters and by the fakes in `tests/fakes`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from attrs import field, frozen

if TYPE_CHECKING:
    from pipeline.model.events import Event
    from pipeline.model.messages import Message
    from pipeline.model.runs import MergedRun
    from pipeline.model.tests import Test

Emit = Callable[["Event"], None]
"""Takes an event; must be cheap and must not raise."""


@frozen
class Entry:
    """One key in a listing. `version` changes whenever the value does; it says nothing about time."""

    key: str
    version: str


class Store(Protocol):
    """The one medium all parties share. Keys are `/`-separated, `[A-Za-z0-9._-]` in each part.

    Every method may raise `StoreUnavailable`, after which the outcome of a write is unknown.
    """

    async def create(self, key: str, data: bytes) -> bool:
        """Put if absent, atomically, whole or not at all. False: the key exists (read it back to see whose it is)."""

    async def replace(self, key: str, data: bytes) -> None:
        """Write a value that has a single writer."""

    async def read(self, key: str) -> bytes | None:
        """The value, whole, or None."""

    async def list(self, prefix: str) -> Sequence[Entry]:
        """All keys that start with `prefix`, sorted by key, consistent with writes that ended before the call."""

    async def delete(self, prefix: str) -> int:
        """Remove every key that starts with `prefix`, in sorted order; how many there were."""

    def journal(self, prefix: str) -> Journal:
        """The journal kept below `prefix`."""


class Journal(Protocol):
    """An append-only list of records with one writer, which anybody may seal."""

    def append(self, record: bytes) -> None:
        """Take a record; it is durable after the next `flush`."""

    async def flush(self) -> None:
        """Make all appended records durable. Raises `Fenced` when the journal has been sealed by another party."""

    async def seal(self) -> str:
        """Refuse or ignore whatever is written later. Returns the opaque position up to which records count.

        Idempotent: sealing a sealed journal returns the same position.
        """

    async def read(self, upto: str | None = None) -> Sequence[bytes]:
        """The gap-free prefix of durable records, up to a seal's position. Raises `StoreDamaged`.

        Without a position: up to the seal if there is one, else everything. What came late is never returned.
        """

    async def read_from(self, position: str) -> tuple[Sequence[bytes], str]:
        """The durable records behind a position, and the position behind them; empty: the beginning.

        For following a living writer: costs by what is new. Positions are opaque and hold for every handle. A sealed
        journal gives nothing behind its seal; but what is given while another party seals may turn out not to count.
        Raises `StoreDamaged`.
        """

    async def late(self) -> int:
        """How many records were written after the seal; they never count, and a seal that refuses them answers 0."""


class Clock(Protocol):
    """Time as one process sees it. Nothing here may be compared with another machine's."""

    def monotonic(self) -> float:
        """Seconds, never backwards, counting suspension where the system can."""

    def wall(self) -> float:
        """Seconds since the epoch: for people only."""

    async def sleep(self, seconds: float) -> None:
        """Return after that span."""


@frozen(kw_only=True)
class HarnessEnd:
    """How a harness ended, as its guard knows it."""

    proof: bool
    """The guard's waitpid (or the container runtime) has said so: nothing of it lives."""
    asked: bool
    """We had asked it to end, or killed it: then its death blames nobody."""
    code: int | None = None
    """Exit status; negative: the signal that killed it; None: unknown."""
    cause: str = "exited"
    """`exited`, `signalled`, `expired` (the guard's permission ran out), `stopped` (SIGSTOPped for too long, then
    killed), `out-of-memory`, `unreachable`."""
    in_flight: tuple[str, int] | None = None
    """(batch, i) of the last start without a result, if the channel's last bytes told."""


class Harness(Protocol):
    """A running harness behind its guard, as the supervisor sees it."""

    @property
    def place(self) -> str:
        """Where it is, for people: `host pid 123`."""

    @property
    def log(self) -> str:
        """Path of its live log, or empty."""

    async def send(self, message: Message) -> None:
        """Hand over a message; silently dropped when the harness has ended."""

    async def receive(self) -> Message | HarnessEnd:
        """The next message in order; after the last one the end, then the end again for ever."""

    def stamp(self) -> float | None:
        """The guard's newest stamp of its own clock, or None before the first."""

    def renew(self, stamp: float, span_seconds: float) -> None:
        """Permit the harness to live until `stamp` + `span_seconds` on the guard's own clock."""

    async def dump_stacks(self) -> None:
        """Write the stacks of all threads into the log, even of a hanging test."""

    async def kill(self, *, grace_seconds: float = 0.0) -> None:
        """TERM, then KILL after the grace, of everything the harness ever started; `receive` then gives the end."""


class Warm(Protocol):
    """Keeps harnesses that were started for collection, so that the launcher can hand them to workers."""

    async def warm(self, slot: int, suite: str) -> Harness:
        """Start a harness of that suite, or give the one that is there already."""


@frozen(kw_only=True)
class Remains:
    """What a launcher knows of a dead supervisor. To have one is proof: nothing of it lives."""

    messages: Sequence[Message] = ()
    """The last messages its harness said, in order, those that the supervisor had handled among them."""
    cause: str = ""
    """Why it died, where the runtime tells: `out-of-memory` (of the whole container), `exited`, `signalled`,
    `deleted`, and other words of `logic.objects.DISRUPTIONS`; empty: not known."""
    detail: str = ""
    """For people: `status 137`."""


class Launcher(Protocol):
    """Where workers live."""

    name: str

    async def harness(self, slot: int, suite: str) -> Harness:
        """A harness of that suite for that slot, ready or starting; raises `EngineError` when none can be had.

        `slot` counts from 0 and is stable over restarts (pytest's `gw<slot>`). A warm harness left there by
        collection is handed out first. A harness serves one suite; a worker that turns to a batch of another suite
        finishes the one and asks for the other.
        """

    def identity(self, slot: int) -> dict[str, str | int]:
        """What a worker in that slot writes into its birth, so that a later agent can find and end its leftovers.

        For local: boot id, the agent's pid and start time, the folder of the slot's outboxes. `place` and `log`, where
        given, are shown to people.
        """

    async def salvage(self, identity: dict[str, str | int]) -> Remains | None:
        """End the leftovers of a dead supervisor and its harness. None: it lives, or no proof of its death can be had
        here, so only silence ends it. May be called again; gives the same."""

    async def close(self) -> None:
        """Leave nothing behind."""


@frozen(kw_only=True)
class Collected:
    """The outcome of collecting one suite."""

    tests: tuple[Test, ...]
    errors: tuple[tuple[str, str], ...] = ()
    """(native id, text) of what could not be collected."""
    deselected: int = 0
    affinity: dict[str, int] = field(factory=dict)
    """Which slot's warm harness has collected which file."""
    facts: dict[str, Any] = field(factory=dict)
    """What the framework's harness said of itself in `hello`: for pytest maxfail, coverage, versions."""


@frozen(kw_only=True)
class Known:
    """Tests of a suite that a framework knows without a harness."""

    tests: Sequence[Sequence[Any]]
    """`[native, occurrence, unit, exclusive, file]` each, in order."""
    deselected: int = 0
    files: Sequence[str] = ()
    """What is collected together, so that each has a worker that it belongs to first; empty: there is nothing to deal out."""


class Reporter(Protocol):
    """A reader of events and of the merged run. Registered under the entry point group `doit_fleet.reporters`."""

    name: str

    def event(self, event: Event) -> None:
        """See one event; must not block."""

    def finish(self, run: MergedRun) -> Sequence[str]:
        """Write what is to be written; the paths of the files made."""


class History(Protocol):
    """Durations of earlier valid runs."""

    def estimates(self, suite: str, branches: Sequence[str]) -> dict[str, float]:
        """Seconds by test id; the first branch that knows a test decides."""

    def learn(self, run: MergedRun, *, branch: str) -> None:
        """Take over a valid run's durations; a run that is not trustworthy is left out."""
