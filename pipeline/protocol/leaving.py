"""When an agent that has joined a run may end before the run does: it has nothing to do, and others are heard to work.

It says that it leaves, then looks who has not: so of those that look at each other one stays, whatever the order. One that
has said so and stays relies on nobody, and nobody relies on it. It must not know how an agent ends.
"""

from __future__ import annotations

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
        self._stays = False

    async def may_leave(self) -> bool:
        """Whether this agent ends now, and others carry the run to its end."""
        leader = self._leader
        if leader.joining is None or not leader.joining.may_leave or self._stays or not leader.has_just_watched():
            return False
        if not self._is_idle():
            self._known.clear()
            return False
        if not await self._others():
            return False
        said = Leave(term=leader.term, nonce=leader.nonce, plan=leader.plan.digest)
        await leader.store.create(keys.leave(leader.run, leader.term), to_bytes(said))
        self._stays = not await self._others()
        return not self._stays

    def _is_idle(self) -> bool:
        """Whether no batch waits, and nobody here has one that is not done."""
        leader = self._leader
        view, progress = leader.view, leader.view.progress
        if len(view.taken) < len(leader.plan.batches):
            return False
        own = set(leader.crew.hired)
        held = (batch for batch, attempt in view.attempts.items() if view.owners.get((batch, attempt)) in own)
        return all(progress.is_done(test) for batch in held for test in leader.plan.batches[batch].tests)

    async def _others(self) -> set[int]:
        """Terms of others that have not left and whose workers have been heard since there is nothing to do here."""
        leader = self._leader
        left = {int(keys.last(entry.key)) for entry in await leader.store.list(keys.leaves(leader.run))}
        beats = leader.beats()
        heard = [name for name in leader.living if not leader.is_own(name) and self._has_beaten(name, beats)]
        births = [await leader.view.read_birth(name) for name in heard]
        return {birth.term for birth in births if birth is not None} - stays_out(left) - {leader.term}

    def _has_beaten(self, name: str, beats: dict[str, str]) -> bool:
        beat = beats.get(name, "")
        return bool(beat) and self._known.setdefault(name, beat) != beat


def stays_out(left: set[int]) -> set[int]:
    """Terms that nobody may rely on: they have left, or are about to."""
    return left
