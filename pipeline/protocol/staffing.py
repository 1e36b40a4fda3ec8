"""How many workers there should be, and who may start them: never more than there is work, only the newest term.

Two agents that misjudge this do double work at worst, never harm.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipeline.logic.objects import Birth
from pipeline.protocol import keys
from pipeline.protocol.terms import newest_term, take_term

if TYPE_CHECKING:
    from pipeline.protocol.leading import Leader


class Staff:
    """Hires for one leader."""

    def __init__(self, leader: Leader) -> None:
        self._leader = leader
        self._ordinals: dict[int, int] = {}

    async def hire(self, living: Sequence[str]) -> None:
        """Start workers up to the number asked for, but never more than there is work."""
        leader = self._leader
        if leader.fault and not leader.hirer.is_local:
            return  # None can be had; those that live may end the work.
        present = self._present(living)
        wanted = min(leader.workers - len(present), self._open_batches() - len(self._idle()))
        free = leader.crew.free_slots()
        if wanted <= 0 or not free or not await self._leads(present):
            return
        for slot in free[:wanted]:
            birth = await self._birth(slot)
            task = leader.hirer.start(birth)
            task.add_done_callback(lambda _: leader.news.set())
            leader.crew.add(birth, task, leader.clock.monotonic())

    def _present(self, living: Sequence[str]) -> set[str]:
        return set(living) | set(self._leader.crew.hired)

    def _idle(self) -> set[str]:
        """Hired workers without a batch: they will take what is waiting."""
        view = self._leader.view
        owners = {view.owners.get(each, "") for each in view.attempts.items()}
        return {name for name in self._leader.crew.hired if name not in owners}

    def _open_batches(self) -> int:
        return len(self._leader.plan.batches) - len(self._leader.view.taken)

    async def _leads(self, present: set[str]) -> bool:
        """Whether this term is the newest; with nobody left alive, the next one is taken."""
        leader = self._leader
        if await newest_term(leader.store, leader.run) == leader.term:
            return True
        if present:
            return False
        leader.term = await take_term(leader.store, leader.run, leader.plan, nonce=leader.nonce, clock=leader.clock)
        return True

    async def _birth(self, slot: int) -> Birth:
        leader = self._leader
        ordinal = self._ordinals.get(slot, 0) or await self._last_ordinal(slot)
        self._ordinals[slot] = ordinal + 1
        identity = leader.launcher.identity(slot)
        return Birth(
            worker=f"w{slot}-{ordinal + 1}",
            nonce=leader.nonces(),
            plan=leader.plan.digest,
            term=leader.term,
            slot=slot,
            bucket=slot,
            launcher=leader.launcher.name,
            place=str(identity.get("place", "")),
            log=str(identity.get("log", "")),
            identity=identity,
            wall=leader.clock.wall(),
        )

    async def _last_ordinal(self, slot: int) -> int:
        entries = await self._leader.store.list(f"{keys.workers(self._leader.run)}w{slot}-")
        return max((int(entry.key.rsplit("-", 1)[1]) for entry in entries), default=0)
