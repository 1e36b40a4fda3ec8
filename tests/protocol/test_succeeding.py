"""Workers elsewhere one after the other in a slot: the newest name is told first, the place before ends first, and counts."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.adapters.clock import SystemClock
from pipeline.logic.objects import Birth
from pipeline.ports.places import Hiring, PlaceEnd
from pipeline.protocol import apart, keys
from pipeline.protocol.apart import ApartHirer
from pipeline.protocol.certain import CertainStore
from pipeline.protocol.limits import Limits
from tests.fakes.memory_store import MemoryStore
from tests.logic.suites import planned, uniform


class Places:
    """Places that their engine replaces; each ends when it is told to."""

    replaces = True

    def __init__(self, store: MemoryStore) -> None:
        self.begun: dict[str, Hiring] = {}
        self.ends: dict[str, asyncio.Future[PlaceEnd]] = {}
        self.heard: Any = None
        self._store = store

    def heed(self, heard: Any) -> None:
        """Keep it."""
        self.heard = heard

    def specs_there(self) -> dict[str, Any]:
        """None."""
        return {}

    async def begin(self, hiring: Hiring) -> None:
        """Whoever begins is told by the store which name it has."""
        assert await self._store.read(keys.hiring("r-1", hiring.worker)) == b"n"
        self.begun[hiring.worker] = hiring

    async def ended(self, hiring: Hiring) -> PlaceEnd:
        """When the test says so."""
        self.ends[hiring.worker] = asyncio.get_running_loop().create_future()
        return await self.ends[hiring.worker]

    async def stop(self, run: str, workers: Sequence[str], *, grace_seconds: float) -> None:
        """They end."""
        for worker in workers:
            if worker in self.ends and not self.ends[worker].done():
                self.ends[worker].set_result(PlaceEnd(code=143))

    async def clear(self, run: str, *, term: int | None) -> None:
        """Nothing."""


class House:
    """A hirer, its places, and as much of a leader as it needs."""

    def __init__(self) -> None:
        store, clock = MemoryStore(), SystemClock()
        self.taken = 0
        self.looks = 0
        self.places = Places(store)
        self.plan = planned(uniform(4, 1.0), 1)
        budgets = SimpleNamespace(preemptions=lambda: self.taken)
        orders = SimpleNamespace(is_stopped=asyncio.Event(), is_over=False)
        leader: Any = SimpleNamespace(
            run="r-1",
            plan=self.plan,
            store=CertainStore(store, clock),
            clock=clock,
            limits=Limits(),
            nonce="n",
            term=1,
            stop=SimpleNamespace(count=0),
            workers=2,
            pools=(),
            budgets=budgets,
            orders=orders,
            view=SimpleNamespace(tombs={}),
            look_again=self.look,
            place_ended=lambda *_: None,
            growth=SimpleNamespace(most_slots=2, spare=()),
        )
        self.hirer = ApartHirer(self.places, leader)

    def look(self) -> None:
        """Count."""
        self.looks += 1

    def hire(self, worker: str) -> None:
        """In slot 0."""
        self.hirer.start(Birth(worker=worker, nonce="n", plan=self.plan.digest, term=1, slot=0, bucket=0, identity={}))


async def until(condition: Any) -> None:
    """Let others run until it is true."""
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)


def test_the_place_before_ends_first_and_counts() -> None:
    """A worker's last word comes sooner than its pod's end, and only that tells that it was preempted."""

    async def scenario() -> None:
        house = House()
        house.hire("w0-1")
        await until(lambda: "w0-1" in house.places.ends)
        house.hire("w0-2")
        await asyncio.sleep(0.1)
        assert set(house.places.begun) == {"w0-1"}
        house.taken = 1
        house.places.ends["w0-1"].set_result(PlaceEnd(code=143, disruption="preempted"))
        await until(lambda: "w0-2" in house.places.begun)
        assert house.places.begun["w0-2"].preemptions == 1
        assert house.places.begun["w0-1"].preemptions == 0
        await house.hirer.let_go()

    asyncio.run(scenario())


def test_a_place_that_does_not_end_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Frozen, or cut off."""
    monkeypatch.setattr(apart, "LEAVE_SECONDS", 0.1)

    async def scenario() -> None:
        house = House()
        house.hire("w0-1")
        await until(lambda: "w0-1" in house.places.ends)
        house.hire("w0-2")
        await until(lambda: "w0-2" in house.places.begun)
        await house.hirer.let_go()

    asyncio.run(scenario())


def test_ends_of_others_workers_are_heeded() -> None:
    """Their leader may be dead, and proof is better than silence."""

    async def scenario() -> None:
        house = House()
        house.places.heard()
        assert house.looks == 1

    asyncio.run(scenario())
