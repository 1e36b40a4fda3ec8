"""What may be asked of a launcher whose supervisors live elsewhere: start one, say when it has ended, stop, clear away.

A supervisor that lives elsewhere finds everything it needs in the store, but for its secrets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

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


@frozen(kw_only=True)
class PlaceEnd:
    """A worker's place has ended: proof of its death."""

    code: int | None
    """Exit status, 128 plus a signal's number; None: unknown."""
    detail: str = ""
    """Why, for people, with the end of what it printed."""


@runtime_checkable
class Elsewhere(Protocol):
    """A launcher of whole workers."""

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
