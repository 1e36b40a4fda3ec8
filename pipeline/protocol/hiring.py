"""Start supervisors in this process and keep them: which slots are taken, how each ended.

A launcher whose supervisors live elsewhere brings a hirer of its own; the leader sees only `Hirer`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from pipeline.logic.objects import Birth
from pipeline.protocol.supervising import Life


class Hirer(Protocol):
    """Starts supervisors."""

    is_local: bool
    """Whether they share the leader's view and events, so that it knows of them without reading their journals."""
    fails_by_slot: bool
    """Whether a worker that cannot be had is a matter of its slot, not of all."""

    def start(self, birth: Birth) -> asyncio.Task[Life]:
        """Start a supervisor with that birth; its end, as far as it can be known here.

        One elsewhere sees an ending by itself. A task that ends with another cause than those of `HARMLESS` before the
        birth is written spends the budget; an `EngineError` that is `permanent` ends the run.
        """

    async def dismiss(self, workers: Sequence[str], *, kindly: bool) -> None:
        """Tell living workers that the leader's orders do not reach that all is over; unkindly: stop them now."""

    async def let_go(self) -> None:
        """Leave no supervisor behind that does not end with the leader's own tasks."""

    def waiting(self) -> Collection[str]:
        """Workers that are not born, and known to wait for their places."""

    def closed(self) -> Mapping[int, str]:
        """Slots in which no worker can start now but perhaps later, and why."""

    async def keep_stories(self) -> None:
        """Write into the store what is known of workers' places: their engine may forget it."""


class Crew:
    """The workers of one leader."""

    def __init__(self, slots: Sequence[int]) -> None:
        self.all_slots = slots
        self._hired: dict[str, tuple[int, asyncio.Task[Life]]] = {}
        self._since: dict[str, float] = {}
        self.names: set[str] = set()
        """All workers of this leader, the ended ones too."""

    def add(self, birth: Birth, task: asyncio.Task[Life], now: float) -> None:
        """Keep a new worker, hired now."""
        self._hired[birth.worker] = (birth.slot, task)
        self._since[birth.worker] = now
        self.names.add(birth.worker)

    def extend(self, slots: Sequence[int]) -> None:
        """Open more slots."""
        self.all_slots = (*self.all_slots, *slots)

    def forget(self, worker: str) -> None:
        """That name is another leader's worker's."""
        self.names.discard(worker)

    @property
    def hired(self) -> list[str]:
        """Names of the workers that have not ended."""
        return list(self._hired)

    def touch(self, workers: Collection[str], now: float) -> None:
        """The birth of these is not to be expected yet: they are as if hired now."""
        self._since.update(dict.fromkeys(self._since.keys() & workers, now))

    def hired_before(self, time: float) -> set[str]:
        """Workers that have not ended and were hired before that time."""
        return {name for name in self._hired if self._since[name] < time}

    @property
    def size(self) -> int:
        """Workers that have not ended."""
        return len(self._hired)

    @property
    def tasks(self) -> list[asyncio.Task[Life]]:
        """Their ends."""
        return [task for _, task in self._hired.values()]

    @property
    def slots(self) -> dict[str, int]:
        """Slots of the workers that have not ended, by name."""
        return {name: slot for name, (slot, _) in self._hired.items()}

    def free_slots(self, others: Collection[int] = ()) -> list[int]:
        """Slots without a worker, lowest first; others' workers hold some."""
        taken = {*self.slots.values(), *others}
        return [slot for slot in self.all_slots if slot not in taken]

    def holds(self, worker: str) -> bool:
        """Whether this worker is ours and has not ended."""
        return worker in self._hired

    def reap(self) -> list[tuple[str, int, asyncio.Task[Life]]]:
        """Take out the workers that have ended, with their slots."""
        ended = [(name, slot, task) for name, (slot, task) in self._hired.items() if task.done()]
        for name, _, _ in ended:
            del self._hired[name]
        return ended

    def dismiss(self, worker: str) -> None:
        """Give up a worker that another party has buried."""
        self._hired.pop(worker, None)
