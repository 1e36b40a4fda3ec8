"""More workers while a run goes on, where room for them has appeared: asked now and then, while work waits that nobody takes.

Slots beyond those planned are laid out beforehand, so that workers elsewhere can be told of them when the run begins.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from attrs import evolve

from pipeline.errors import EngineError
from pipeline.logic.pooling import slots_of
from pipeline.model.events import Notice

if TYPE_CHECKING:
    from pipeline.model.pools import Pool
    from pipeline.protocol.leading import Leader

Room = Callable[[], Awaitable[Mapping[str, int]]]
"""How many workers more could start now, by pool. Raises `EngineError`."""
MOST = 8
"""So many times longer is the pause at most between two questions: asking a large cluster costs."""


class Growth:
    """Asks for one leader, and opens slots."""

    def __init__(self, leader: Leader, spare: Sequence[Pool], room: Room | None) -> None:
        self._leader, self._room = leader, room
        self.spare = tuple(spare)
        """Slots that are not open yet, by pool."""
        self.most_slots = max(leader.workers, slots_of(spare))
        """All that there may ever be."""
        self._pause = leader.limits.room_seconds
        self._next = leader.clock.monotonic() + self._pause
        self._asking: asyncio.Task[None] | None = None

    @property
    def tasks(self) -> Sequence[asyncio.Task[None]]:
        """What goes on."""
        return () if self._asking is None else (self._asking,)

    def consider(self, waiting: Mapping[str, int]) -> None:
        """Ask if it is time; `waiting` are batches that wait although all slots of their pool are taken, by pool."""
        leader = self._leader
        if self._room is None or not any(waiting.values()) or not self.spare:
            return
        if self._asking is not None and not self._asking.done():
            return
        hired_are_born = set(leader.crew.hired) <= set(leader.living)
        if hired_are_born and leader.clock.monotonic() >= self._next:
            self._asking = asyncio.ensure_future(self._ask(self._room, waiting))

    async def _ask(self, room: Room, waiting: Mapping[str, int]) -> None:
        try:
            found = await room()
        except EngineError:
            found = {}  # It is asked again.
        grown = [self._grow(name, min(count, waiting.get(name, 0))) for name, count in found.items()]
        least = self._leader.limits.room_seconds
        self._pause = least if any(grown) else min(2 * self._pause, MOST * least)
        self._next = self._leader.clock.monotonic() + self._pause
        self._leader.news.set()

    def _grow(self, name: str, count: int) -> bool:
        """Open slots of a pool, as far as there are any."""
        leader = self._leader
        spare = next((pool for pool in self.spare if pool.name == name), None)
        count = min(count, spare.size) if spare is not None else 0
        if spare is None or count < 1:
            return False
        opened = evolve(spare, size=count)
        left = evolve(spare, first=spare.first + count, size=spare.size - count)
        self.spare = tuple(left if pool is spare else pool for pool in self.spare)
        leader.pools = (*leader.pools, opened)
        leader.crew.extend(opened.slots)
        total = sum(pool.size for pool in leader.pools if pool.name == name)
        text = f"room for {count} more {'worker' if count == 1 else 'workers'} of pool {name!r}: {total} in all"
        leader.emit(Notice(time=leader.clock.wall(), level="info", text=text))
        return True
