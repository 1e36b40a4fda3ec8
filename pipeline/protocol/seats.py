"""Slots of an agent's own in a run that many join: counted on behind those of all who came before.

Each machine's launcher has slots from 0, so that tests see `gw0`, `gw1`, … there, as in jobs that know nothing of each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.logic.pooling import behind
from pipeline.ports import Harness, Launcher, Remains
from pipeline.protocol.hiring import Crew
from pipeline.protocol.rooms import rooms_of
from pipeline.protocol.terms import first_slot, take_term

if TYPE_CHECKING:
    from pipeline.protocol.leading import Leader
    from pipeline.protocol.mandate import Joining


async def take_seat(leader: Leader, joining: Joining) -> None:
    """Take a term with as many slots as there may be workers."""
    leader.term = await take_term(
        leader.store,
        leader.run,
        leader.plan,
        nonce=leader.nonce,
        clock=leader.clock,
        slots=leader.workers,
        place=joining.place,
    )
    first = await first_slot(leader.store, leader.run, leader.term)
    leader.crew = Crew(range(first, first + leader.workers))
    leader.pools = behind(leader.pools, first)
    if leader.seating is not None:
        leader.seating = leader.seating.behind(first)
        leader.rooms = rooms_of(leader.seating, leader.clock)
    leader.launcher = SeatedLauncher(leader.launcher, first, joining.root)


class SeatedLauncher:
    """Slots from `first` on of a launcher that has them from 0."""

    def __init__(self, launcher: Launcher, first: int, root: str) -> None:
        self._launcher, self._first, self._root = launcher, first, root
        self.name = launcher.name

    async def harness(self, slot: int, suite: str) -> Harness:
        """A harness. Raises `EngineError`."""
        return await self._launcher.harness(slot - self._first, suite)

    def identity(self, slot: int) -> dict[str, str | int]:
        """As the other says, with the project's folder here: paths in what the worker leaves begin with it."""
        return {**self._launcher.identity(slot - self._first), "root": self._root}

    async def salvage(self, identity: dict[str, str | int]) -> Remains | None:
        """As the other says of workers since this machine's last start.

        Never of those before: machines made from one image may share the name that an earlier start is known by.
        """
        if identity.get("boot") != self._launcher.identity(0).get("boot"):
            return None
        return await self._launcher.salvage(identity)

    async def close(self) -> None:
        """Close the other."""
        await self._launcher.close()
