"""Two agents that hire at once want the same names; who comes too late hears the other's worker as any worker elsewhere."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from attrs import evolve

from pipeline.adapters.clock import SystemClock
from pipeline.logic.objects import Birth, to_bytes
from pipeline.model.events import Event
from pipeline.ports import Launcher
from pipeline.protocol import keys
from pipeline.protocol.leading import Leader
from pipeline.protocol.limits import Limits
from pipeline.protocol.local import LocalHirer
from pipeline.protocol.mandate import Mandate
from pipeline.protocol.orders import Stop
from tests.fakes.memory_store import MemoryStore
from tests.logic.suites import planned, uniform

RUN = "r-1"


async def hire_beside_another() -> tuple[bool, list[Event]]:
    """Hire under a name that another agent's worker has been born with; whether it counts as ours, and what was told."""
    told: list[Event] = []
    store, plan = MemoryStore(), planned(uniform(2, 1.0), 1)
    mandate = Mandate(
        run=RUN,
        plan=plan,
        store=store,
        launcher=cast("Launcher", Any),
        clock=SystemClock(),
        emit=told.append,
        limits=Limits(),
        workers=1,
        stop=Stop(),
    )
    leader = Leader(mandate)
    leader.hirer = LocalHirer(leader)
    await leader.begin()
    birth = Birth(worker="w0-1", nonce="ours", plan=plan.digest, term=1, slot=0, bucket=0)
    await store.create(keys.worker(RUN, "w0-1"), to_bytes(evolve(birth, nonce="the other's")))
    task = leader.hirer.start(birth)
    leader.crew.add(birth, task, 0.0)
    await task
    leader.reap()
    return leader.is_own("w0-1"), told


def test_a_name_that_another_took_is_not_ours() -> None:
    """Else nobody would hear what that worker does, and the run would never be complete here."""
    is_ours, told = asyncio.run(hire_beside_another())

    assert not is_ours
    assert told == []
