"""Budgets of hosts while tests run: a batch begins when there is room for what its tests need, first come, first served.

Supervisors of one leader share this; it knows no other leader's. It must not know where queues are.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Set

from attrs import define, field

from pipeline.logic.placement.grounds import Amount
from pipeline.logic.placement.seating import Seating
from pipeline.ports import Clock
from pipeline.protocol.orders import either


@define
class _Room:
    """What one host has left."""

    cpus: float
    memory_bytes: float
    waiting: deque[tuple[Amount, asyncio.Event]] = field(factory=deque)

    def has(self, amount: Amount) -> bool:
        return (amount.cpus or 0.0) <= self.cpus + 1e-9 and (amount.memory_bytes or 0) <= self.memory_bytes

    def take(self, amount: Amount, sign: int) -> None:
        self.cpus -= sign * (amount.cpus or 0.0)
        self.memory_bytes -= sign * (amount.memory_bytes or 0)

    def admit(self) -> None:
        """Let in who waits longest, as long as there is room."""
        while self.waiting and self.has(self.waiting[0][0]):
            amount, event = self.waiting.popleft()
            self.take(amount, 1)
            event.set()


class Rooms:
    """All hosts."""

    def __init__(self, seating: Seating, clock: Clock) -> None:
        self._seating, self._clock = seating, clock
        self._rooms = {
            host: _Room(
                float("inf") if budget.cpus is None else budget.cpus,
                float("inf") if budget.memory_bytes is None else budget.memory_bytes,
            )
            for host, budget in seating.budgets.items()
        }
        self._held: dict[str, tuple[_Room, Amount]] = {}
        self._leaving: set[asyncio.Task[None]] = set()

    def too_large(self, slot: int) -> Set[int]:
        """Batches that could not begin now on that slot's host."""
        room = self._room(slot)
        if room is None:
            return frozenset()
        alike = self._seating.by_amount.items()
        return frozenset().union(*(batches for amount, batches in alike if room.waiting or not room.has(amount)))

    def may_wait(self, slot: int, batch: int) -> bool:
        """Whether that batch should wait for room on the slot's host: nobody does yet, and nowhere else it could begin now."""
        room, amount = self._room(slot), self._seating.amounts[batch]
        if room is None or amount.is_nothing:
            return True
        elsewhere = self._seating.hosts_of(batch) - {self._seating.host(slot)}
        return not room.waiting and not any(self._has_room(host, amount) for host in elsewhere)

    async def enter(self, worker: str, slot: int, batch: int, *, unless: asyncio.Event) -> None:
        """Wait for room, and take it in that worker's name; not `unless` that event comes first."""
        amount, room = self._seating.amounts[batch], self._room(slot)
        if room is None or amount.is_nothing:
            return
        event = asyncio.Event()
        room.waiting.append((amount, event))
        room.admit()
        try:
            await either(event, unless)
        finally:
            if event.is_set():
                self._held[worker] = (room, amount)
            else:
                room.waiting.remove((amount, event))
                room.admit()

    def leave(self, worker: str, *, after_seconds: float = 0.0) -> None:
        """Give back what that worker holds, if it holds any: now, or when what may still live has ended."""
        held = self._held.pop(worker, None)
        if held is None:
            return
        if not after_seconds:
            self._give_back(*held)
            return
        task = asyncio.ensure_future(self._give_back_later(after_seconds, *held))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    def close(self) -> None:
        """Wait for nobody any more."""
        for task in self._leaving:
            task.cancel()

    async def _give_back_later(self, seconds: float, room: _Room, amount: Amount) -> None:
        await self._clock.sleep(seconds)
        self._give_back(room, amount)

    def _give_back(self, room: _Room, amount: Amount) -> None:
        room.take(amount, -1)
        room.admit()

    def _has_room(self, host: str, amount: Amount) -> bool:
        room = self._rooms.get(host)
        return room is None or (not room.waiting and room.has(amount))

    def _room(self, slot: int) -> _Room | None:
        return self._rooms.get(self._seating.host(slot))


def rooms_of(seating: Seating | None, clock: Clock) -> Rooms | None:
    """None: nobody ever has to wait."""
    return Rooms(seating, clock) if seating is not None and seating.has_budgets else None
