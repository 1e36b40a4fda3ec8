"""Supervisors that live with the leader while the machines of their tests come and go: no slot is staffed while its own is away.

Machines may join and drain while the run goes on: their slots are opened behind all others, or their workers end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from attrs import evolve

from pipeline.logic.objects import Birth
from pipeline.model.events import PlaceGivenUp
from pipeline.ports.places import Changing
from pipeline.protocol.draining import drain
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
        self._draining: set[asyncio.Task[None]] = set()
        self._given_up: set[str] = set()
        """Machines, each told of once."""
        places.heed(self._see)
        self._see()

    def start(self, birth: Birth) -> asyncio.Task[Life]:
        """Start a supervisor; the last one of a machine sends home what tests have left there."""
        place = self._places.place(birth.slot)
        if not place:
            task = super().start(birth)
            task.add_done_callback(lambda _: self._see())
            return task
        self._at_work.add(birth.worker)
        self._of_place.setdefault(place, set()).add(birth.worker)
        task = self._supervise(birth, partial(self._bring_home, birth.worker, birth.slot, place))
        task.add_done_callback(lambda _: self._ended(birth.worker, place))
        return task

    def closed(self) -> Mapping[int, str]:
        """Slots whose machines are away."""
        return self._places.closed()

    def _ended(self, worker: str, place: str) -> None:
        self._leave(worker, place)
        self._see()

    def _leave(self, worker: str, place: str) -> None:
        self._at_work.discard(worker)
        self._of_place[place].discard(worker)

    async def _bring_home(self, worker: str, slot: int, place: str) -> None:
        self._leave(worker, place)
        if not self._of_place[place]:
            await self._places.bring_home(self._leader.store, self._leader.run, worker, slot)

    def _see(self) -> None:
        """A machine has come, is away, is given up, has joined or is to be left, or a slot has been vacated."""
        self._places.let_go({worker.birth.slot for worker in self._workers.values()})
        self._open(range(len(self._leader.crew.all_slots), self._places.opened()))
        draining = self._places.draining()
        for worker in list(self._workers.values()):
            if worker.birth.slot in draining and not worker.draining.is_set():
                task = asyncio.ensure_future(drain(worker))
                self._draining.add(task)
                task.add_done_callback(self._draining.discard)
        hopeless = self._places.hopeless()
        self._leader.hopeless.update(hopeless)
        self._tell_given_up({slot: why for slot, why in hopeless.items() if slot not in draining})
        self._leader.news.set()

    def _tell_given_up(self, hopeless: Mapping[int, str]) -> None:
        """Each machine once, for whoever reads the end only."""
        whys = {place: why for slot, why in hopeless.items() if (place := self._places.place(slot))}
        for place in sorted(whys.keys() - self._given_up):
            self._leader.emit(PlaceGivenUp(time=self._leader.clock.wall(), place=place, why=whys[place]))
        self._given_up |= whys.keys()

    def _open(self, slots: range) -> None:
        """Every pool may use what has joined, as all that is there."""
        if slots:
            leader = self._leader
            firsts = {pool.name: pool for pool in leader.pools}.values()
            more = (evolve(pool, first=slots.start, size=len(slots)) for pool in firsts)
            leader.pools = (*leader.pools, *more)
            leader.crew.extend(slots)
