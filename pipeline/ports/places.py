"""What may be asked of a launcher whose supervisors live elsewhere: start one, say when it has ended, stop, clear away.

A supervisor that lives elsewhere finds everything it needs in the store, but for its secrets.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from attrs import field, frozen

if TYPE_CHECKING:
    from pipeline.model.suites import HarnessSpec


@frozen(kw_only=True)
class Hiring:
    """One worker that is to live somewhere."""

    run: str
    term: int
    worker: str
    nonce: str
    slot: int
    identity: dict[str, str | int] = field(factory=dict)
    """What goes into its birth; the place adds what it needs to find it again."""
    preemptions: int = 0
    """How many workers of this run were preempted, evicted, drained or lost with their node until now."""


@frozen(kw_only=True)
class PlaceEnd:
    """A worker's place has ended: proof of its death."""

    code: int | None
    """Exit status, 128 plus a signal's number; None: unknown."""
    detail: str = ""
    """Why, for people, with the end of what it printed."""
    cause: str = ""
    """As `Remains.cause`, and `deadline` (it was not to live longer), `over-limit` (it used more than it may); empty: not
    known."""
    disruption: str = ""
    """Its engine took it away and the worker is not to blame: `preempted`, `evicted`, `drained`, `deleted`, `node-lost`;
    or it was alive and had been given up: `fenced`. Empty: none of them. What the launcher itself has ended is none."""


@frozen(kw_only=True)
class Waiting:
    """Why a worker's place is not there yet, as its engine says."""

    reason: str
    """A word that changes when the reason does: `unschedulable`, `image`, `quota`, `configuration`, …"""
    text: str
    """For people: one line, with the engine's own words."""
    hopeless_after: float | None = None
    """Seconds of this reason after which nothing but a change by a person can help. None: it may pass."""
    is_ordinary: bool = False
    """Every place is like that for a while: it is being prepared."""


@frozen(kw_only=True)
class PlaceStory:
    """What an engine knows of one worker's place.

    Times are seconds since the epoch on clocks of the engine's machines, for people only; 0: it did not happen, or is
    not known.
    """

    node: str = ""
    asked: float = 0.0
    """The engine was told to make it."""
    scheduled: float = 0.0
    """It got its node."""
    pulled: float = 0.0
    """Its image was there."""
    started: float = 0.0
    ended: float = 0.0
    pull_seconds: float = 0.0
    """Of them for the image, as the node says; 0 when it was there already."""
    cause: str = ""
    """As `PlaceEnd.cause`."""
    disruption: str = ""
    """As `PlaceEnd.disruption`; may be there before it has ended: `node-lost`."""
    code: int | None = None
    detail: str = ""


@runtime_checkable
class Elsewhere(Protocol):
    """A launcher of whole workers.

    One with a true `replaces` has places that its engine replaces by itself: whoever begins in one that is told a name
    already taken is born with the newest name that was given in its slot, else with the slot's next. One with `heed` calls
    what it is given whenever a place has ended that nobody here waits for: of another agent's worker.
    """

    def specs_there(self) -> Mapping[str, HarnessSpec]:
        """How harnesses are started where the workers live, by suite, without their environment, which may hold secrets."""

    async def begin(self, hiring: Hiring) -> None:
        """Start a worker. Raises `EngineError`; then nothing of it is left."""

    async def ended(self, hiring: Hiring) -> PlaceEnd:
        """Wait for the end of a worker that `begin` has started."""

    async def stop(self, run: str, workers: Sequence[str], *, grace_seconds: float) -> None:
        """Ask workers of a run to stop, whoever started them; kill those that live after the grace. 0: kill at once."""

    async def clear(self, run: str, *, term: int | None) -> None:
        """Leave nothing of a run: what lives is killed. With a term: only what was started in that term."""


@runtime_checkable
class Telling(Protocol):
    """A launcher whose engine tells more of places than that they have ended."""

    def waiting(self, hiring: Hiring) -> Waiting | None:
        """Why a worker that `begin` has started does not live yet. None: it does, or nothing is known. Asks nobody."""

    async def story(self, identity: Mapping[str, str | int]) -> PlaceStory | None:
        """What is known of the place of a worker, whoever started it, by what is in its birth. None: nothing."""


@runtime_checkable
class Changing(Protocol):
    """A launcher whose supervisors live with the leader, and whose tests run on machines that come and go."""

    def heed(self, news: Callable[[], None]) -> None:
        """Call `news` whenever what the next four answer may have changed."""

    def opened(self) -> int:
        """How many slots there have been until now; those of machines that join are behind all others."""

    def draining(self) -> Collection[int]:
        """Slots whose workers are to end behind the test that runs: their machines are wanted no more."""

    def closed(self) -> Mapping[int, str]:
        """Slots in which nobody can start now, and why."""

    def hopeless(self) -> Mapping[int, str]:
        """Those of them in which nobody will be able to start, and why."""

    def place(self, slot: int) -> str:
        """The machine of a slot, for people; empty: the leader's own."""

    def let_go(self, busy: Collection[int]) -> None:
        """Only in these slots does anybody work: leave machines whose slots all drain and are vacated, and open slots that
        had to wait for that; `opened` may have changed."""

    async def bring_home(self, store: Any, run: str, worker: str, slot: int) -> None:
        """Send into the `CertainStore` what tests have left on the machine of that slot, in that worker's name. Raises
        `FleetError`."""
