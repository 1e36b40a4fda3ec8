"""Supervisors that live with the leader while the machines of their tests come and go: no slot is staffed while its own is away."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from pipeline.logic.objects import Birth
from pipeline.ports.places import Changing
from pipeline.protocol.local import LocalHirer
from pipeline.protocol.supervising import Life

if TYPE_CHECKING:
    from pipeline.protocol.leading import Leader


class ChangingHirer(LocalHirer):
    """Starts supervisors as coroutines of this event loop, in slots that are open."""

    fails_by_slot = True

    def __init__(self, places: Changing, leader: Leader) -> None:
        super().__init__(leader)
        self._places = places
        places.heed(self._see)
        self._see()

    def start(self, birth: Birth) -> asyncio.Task[Life]:
        """Start a supervisor; the last one of a machine sends home what tests have left there."""
        place = self._places.place(birth.slot)
        if not place:
            return super().start(birth)
        self._at_work.add(birth.worker)
        self._of_place.setdefault(place, set()).add(birth.worker)
        task = self._supervise(birth, partial(self._bring_home, birth.worker, birth.slot, place))
        task.add_done_callback(lambda _: self._leave(birth.worker, place))
        return task

    def closed(self) -> Mapping[int, str]:
        """Slots whose machines are away."""
        return self._places.closed()

    def _leave(self, worker: str, place: str) -> None:
        self._at_work.discard(worker)
        self._of_place[place].discard(worker)

    async def _bring_home(self, worker: str, slot: int, place: str) -> None:
        self._leave(worker, place)
        if not self._of_place[place]:
            await self._places.bring_home(self._leader.store, self._leader.run, worker, slot)

    def _see(self) -> None:
        """A machine has come, is away, or is given up."""
        self._leader.hopeless.update(self._places.hopeless())
        self._leader.news.set()
