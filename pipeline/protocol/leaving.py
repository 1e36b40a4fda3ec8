"""When an agent that has joined a run may end before the run does: whatever is not done, others are heard to work on.

It says that it leaves, then looks again: so of those that look at each other one stays, whatever the order. One that has said
so and stays relies on others as before, and nobody relies on it. It must not know how an agent ends.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from pipeline.logic.objects import Leave, to_bytes
from pipeline.protocol import keys

if TYPE_CHECKING:
    from pipeline.protocol.leading import Leader


class Leaving:
    """Asks for one leader."""

    def __init__(self, leader: Leader) -> None:
        self._leader = leader
        self._known: dict[str, str] = {}
        """The first heartbeat of each worker that was seen since there is nothing to do here."""
        self._has_said = False

    async def may_leave(self) -> bool:
        """Whether this agent ends now, and others carry the run to its end."""
        leader = self._leader
        if leader.joining is None or not leader.joining.may_leave or self._has_said or not leader.has_just_watched():
            return False
        if not await self._is_spare():
            return False
        said = Leave(term=leader.term, nonce=leader.nonce, plan=leader.plan.digest)
        await leader.store.create(keys.leave(leader.run, leader.term), to_bytes(said))
        self._has_said = True
        await leader.view.refresh()
        return await self._is_spare()

    async def _is_spare(self) -> bool:
        """Whether each batch that is not done has an owner elsewhere, heard since there is nothing to do here."""
        undone = self._undone()
        if not undone or len(self._leader.view.taken) < len(self._leader.plan.batches):
            self._known.clear()
            return False
        heard = await self._heard()
        owners = {await self._owner(batch) for batch in undone}
        return are_heard(owners, heard)

    def _undone(self) -> list[int]:
        view, plan = self._leader.view, self._leader.plan
        return [batch.number for batch in plan.batches if not all(view.progress.is_done(test) for test in batch.tests)]

    async def _owner(self, batch: int) -> str:
        """Whose the latest attempt is."""
        view = self._leader.view
        claim = await view.read_claim(batch, view.attempts.get(batch, 0))
        return "" if claim is None else claim.worker

    async def _heard(self) -> set[str]:
        """Workers elsewhere whose hearts have beaten since, and whose agents have not left."""
        leader = self._leader
        left = {int(keys.last(entry.key)) for entry in await leader.store.list(keys.leaves(leader.run))}
        beats = leader.beats()
        names = [name for name in leader.living if not leader.is_own(name) and self._has_beaten(name, beats)]
        births = [await leader.view.read_birth(name) for name in names]
        return {birth.worker for birth in births if birth is not None and may_rely(birth.term, left)}

    def _has_beaten(self, name: str, beats: dict[str, str]) -> bool:
        beat = beats.get(name, "")
        return bool(beat) and self._known.setdefault(name, beat) != beat


def are_heard(owners: Collection[str], heard: Collection[str]) -> bool:
    """Whether all of them are."""
    return set(owners) <= set(heard)


def may_rely(term: int, left: Collection[int]) -> bool:
    """Whether the agent of that term has not left, and is not about to."""
    return term not in left
