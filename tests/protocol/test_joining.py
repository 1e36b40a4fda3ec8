"""Agents that join one run: slots of their own, one result told, no deaths proved of machines that only look alike."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pipeline.errors import StoreDamaged
from pipeline.logic.objects import Told
from pipeline.logic.planning import freeze
from pipeline.model.plans import Batch
from pipeline.model.tests import Test
from pipeline.ports import Remains
from pipeline.protocol import joining, keys, resuming
from pipeline.protocol.certain import CertainStore
from pipeline.protocol.limits import Limits
from pipeline.protocol.seats import SeatedLauncher
from pipeline.protocol.terms import first_slot, take_term
from tests.fakes.memory_store import MemoryStore
from tests.simulation.processes import Process, SimClock
from tests.simulation.virtual_time import play

RUN = "ci-1"
TOLD = Told(plan="p", nonce="n", place="b", exit_code=1, reason="complete")


def _plan(seed: int) -> Any:
    tests = [Test(id="s::t", suite="s", native="t", seconds=1.0)]
    return freeze(tests, [Batch(number=0, bucket=0, tests=(0,), seconds=1.0)], [[0]], seed=seed)


def _clock() -> SimClock:
    return SimClock(Process("job"))


def test_agents_that_begin_at_once_share_no_slot() -> None:
    """However many slots each takes."""

    async def story() -> list[range]:
        store = CertainStore(MemoryStore(), _clock())

        async def sit(slots: int) -> range:
            term = await take_term(store, RUN, _plan(0), nonce=f"n{slots}", clock=_clock(), slots=slots)
            first = await first_slot(store, RUN, term)
            return range(first, first + slots)

        return list(await asyncio.gather(*(sit(slots) for slots in (3, 1, 4, 2))))

    seats = play(story())
    assert sorted(slot for seat in seats for slot in seat) == list(range(10))


def test_of_many_plans_one_stands() -> None:
    """All go by the one that was created first."""

    async def story() -> set[str]:
        store = MemoryStore()
        found = await asyncio.gather(*(resuming.join_run(store, _clock(), RUN, _plan(seed)) for seed in range(5)))
        return {plan.digest for plan in found}

    assert len(play(story())) == 1


def test_a_result_that_others_tell_is_waited_for() -> None:
    """Writing reports takes a while."""

    async def story() -> Told | None:
        store = MemoryStore()
        asyncio.get_running_loop().call_later(
            15, lambda: asyncio.ensure_future(joining.tell(store, _clock(), RUN, TOLD))
        )
        return await joining.wait_for_told(store, _clock(), RUN, Limits())

    assert play(story()) == TOLD


def test_a_result_that_nobody_tells_is_not_waited_for_for_ever() -> None:
    """Whoever has closed was killed before it could: then another one does it."""

    async def story() -> tuple[Told | None, float]:
        told = await joining.wait_for_told(MemoryStore(), _clock(), RUN, Limits())
        return told, asyncio.get_running_loop().time()

    told, seconds = play(story())
    assert told is None
    assert Limits().linger_seconds <= seconds < 2 * Limits().linger_seconds


def test_what_a_run_is_about_is_said_once() -> None:
    """The first one stands; damage is no difference."""

    async def story() -> tuple[Any, Any]:
        store = MemoryStore()
        first = await joining.announce(store, _clock(), RUN, {"sources": {"a": "1"}})
        second = await joining.announce(store, _clock(), RUN, {"sources": {"a": "2"}})
        await store.create(keys.inputs("other"), b"[")
        with pytest.raises(StoreDamaged, match="inputs of run 'other'"):
            await joining.announce(store, _clock(), "other", {})
        return first, second

    first, second = play(story())
    assert first == second == {"sources": {"a": "1"}}


class Machine:
    """A launcher that proves whatever it is asked for."""

    name = "local"

    def identity(self, slot: int) -> dict[str, str | int]:
        """Of this start of a machine whose name others have, too."""
        return {"machine": "clone", "boot": "mine", "slot": slot}

    async def salvage(self, identity: dict[str, str | int]) -> Remains | None:
        """An earlier start of the same name is over, it thinks."""
        return Remains()


def test_a_clone_of_this_machine_is_not_called_dead() -> None:
    """Machines made from one image share name and id; only workers since this machine's own start can be proved dead."""
    launcher = SeatedLauncher(Machine(), 4, "/checkout")  # type: ignore[arg-type]

    assert launcher.identity(5) == {"machine": "clone", "boot": "mine", "slot": 1, "root": "/checkout"}
    assert play(launcher.salvage({"machine": "clone", "boot": "another's"})) is None
    assert play(launcher.salvage({"machine": "clone", "boot": "mine"})) is not None
