"""An agent leaves a joined run only to others that work and have not left; of two that look at each other one stays."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.logic.objects import Birth, Claim, to_bytes
from pipeline.logic.planning import freeze
from pipeline.model.plans import Batch, Plan
from pipeline.model.tests import Test
from pipeline.protocol import keys
from pipeline.protocol.certain import CertainStore
from pipeline.protocol.leaving import Leaving
from pipeline.protocol.view import RunView
from tests.fakes.memory_store import MemoryStore
from tests.simulation.processes import Process, SimClock
from tests.simulation.virtual_time import play

RUN = "ci-1"


def _plan() -> Plan:
    tests = [Test(id=f"s::t{at}", suite="s", native=f"t{at}", seconds=1.0) for at in range(2)]
    batches = [Batch(number=at, bucket=0, tests=(at,), seconds=1.0) for at in range(2)]
    return freeze(tests, batches, [[0, 1]])


class Agent:
    """As much of a leader as is asked; its worker is called like its term."""

    def __init__(self, store: MemoryStore, term: int) -> None:
        self.run, self.plan, self.term, self.nonce = RUN, _plan(), term, f"n{term}"
        self.joining = SimpleNamespace(may_leave=True)
        clock = SimClock(Process("agent"))
        self.store = CertainStore(store, clock)
        self.view = RunView(RUN, self.plan, self.store, clock, 10.0, joined=True)
        self.living = ["w1-1", "w2-1"]
        self.heard = {"w1-1": "a", "w2-1": "a"}
        self.leaving = Leaving(self)  # type: ignore[arg-type]

    def beats(self) -> dict[str, str]:
        """The newest heartbeats."""
        return dict(self.heard)

    def has_just_watched(self) -> bool:
        """At every step here."""
        return True

    def is_own(self, worker: str) -> bool:
        """By its name."""
        return worker == f"w{self.term}-1"

    async def may_leave(self) -> bool:
        """After a look at the store."""
        await self.view.refresh()
        return await self.leaving.may_leave()


async def _world(owner: int) -> tuple[MemoryStore, Agent, Agent]:
    """Batch 0 is done; batch 1 is that worker's."""
    store = MemoryStore()
    plan = _plan()
    for slot in (1, 2):
        birth = Birth(worker=f"w{slot}-1", nonce=f"b{slot}", plan=plan.digest, term=slot, slot=slot, bucket=slot)
        await store.create(keys.worker(RUN, f"w{slot}-1"), to_bytes(birth))
    for batch in (0, 1):
        claim = Claim(worker=f"w{owner}-1", nonce="c", plan=plan.digest, batch=batch, attempt=1, tests=(batch,))
        await store.create(keys.claim(RUN, 0, batch, 1), to_bytes(claim))
    agents = Agent(store, 1), Agent(store, 2)
    for agent in agents:
        agent.view.progress.add("w1-1", 0, bad=False)
    return store, *agents


def test_an_agent_leaves_to_one_that_is_heard_to_work() -> None:
    """Not before the other's heart has beaten since there is nothing to do; never while it has work itself."""

    async def story() -> list[bool]:
        _, one, two = await _world(owner=2)
        answers = [await one.may_leave()]
        one.heard["w2-1"] = two.heard["w1-1"] = "b"
        return [*answers, await one.may_leave(), await two.may_leave()]

    assert play(story()) == [False, True, False]


def test_an_agent_stays_when_the_other_has_died() -> None:
    """Its heart is not heard any more, or it is buried."""

    async def story() -> list[bool]:
        _, one, _ = await _world(owner=2)
        silent = [await one.may_leave(), await one.may_leave()]
        one.heard["w2-1"] = "b"
        one.living.remove("w2-1")
        return [*silent, await one.may_leave()]

    assert play(story()) == [False, False, False]


@pytest.mark.parametrize("together", [False, True])
def test_of_two_that_rely_on_each_other_one_stays(together: bool) -> None:
    """Each takes the other for the owner of what is not done: both hear each other, whoever is asked first."""

    async def story() -> list[bool]:
        _, one, two = await _world(owner=2)
        for agent, other in ((one, "w2-1"), (two, "w1-1")):
            agent.leaving._owner = _always(other)  # type: ignore[method-assign]
            await agent.may_leave()
            agent.heard[other] = "b"
        if together:
            return list(await asyncio.gather(one.may_leave(), two.may_leave()))
        return [await one.may_leave(), await two.may_leave()]

    assert play(story()).count(True) <= 1


def _always(worker: str) -> Any:
    async def owner(batch: int) -> str:
        return worker

    return owner
