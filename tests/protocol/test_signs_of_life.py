"""A run whose agent lives is not taken for abandoned, although no worker of it is born yet."""

from __future__ import annotations

import asyncio

import pytest

from pipeline.errors import UsageError
from pipeline.protocol import keys
from pipeline.protocol.attending import sign_of_life
from pipeline.protocol.sweeping import delete_run
from tests.fakes.memory_store import MemoryStore
from tests.simulation.virtual_time import ImaginedClock, play

RUN, LEASE = "r-1", 20.0


async def _begun() -> MemoryStore:
    store = MemoryStore()
    await store.create(keys.plan(RUN), b"{}")
    return store


async def _sweep(store: MemoryStore) -> int:
    return await delete_run(store, ImaginedClock(), RUN, abandoned_lease_seconds=LEASE)


def test_a_run_whose_agent_waits_for_places_stays() -> None:
    """It has no worker and no heartbeat, but its agent gives a sign now and then."""

    async def story() -> None:
        store = await _begun()
        async with sign_of_life(store, ImaginedClock(), RUN, nonce="n", every_seconds=LEASE / 4):
            with pytest.raises(UsageError, match="is still alive"):
                await _sweep(store)

    play(story())


def test_a_run_whose_agent_has_ended_goes_at_once() -> None:
    """The sign is taken away at the end, so that nobody has to watch it."""

    async def story() -> float:
        store = await _begun()
        async with sign_of_life(store, ImaginedClock(), RUN, nonce="n", every_seconds=LEASE / 4):
            await asyncio.sleep(LEASE)
        begun = asyncio.get_running_loop().time()
        assert await _sweep(store) == 1
        return asyncio.get_running_loop().time() - begun

    assert play(story()) == 0.0


def test_a_run_whose_agent_was_killed_goes_after_a_lease() -> None:
    """What is left of the sign is silent."""

    async def story() -> float:
        store = await _begun()
        await store.replace(keys.sign(RUN, "n"), b"n")
        begun = asyncio.get_running_loop().time()
        assert await _sweep(store) == 2
        return asyncio.get_running_loop().time() - begun

    assert LEASE <= play(story()) <= 1.5 * LEASE


def test_an_agent_that_begins_while_a_run_is_watched_saves_it() -> None:
    """Its sign is new."""

    async def story() -> None:
        store = await _begun()
        await store.create(keys.worker(RUN, "w0-1"), b"{}")
        sweeping = asyncio.ensure_future(_sweep(store))
        await asyncio.sleep(LEASE / 2)
        async with sign_of_life(store, ImaginedClock(), RUN, nonce="n", every_seconds=LEASE / 4):
            with pytest.raises(UsageError, match="is still alive"):
                await sweeping

    play(story())


def test_a_store_that_does_not_answer_holds_nobody_up() -> None:
    """The sign is given up after a second."""

    async def story() -> float:
        store = await _begun()
        async with sign_of_life(store, ImaginedClock(), RUN, nonce="n", every_seconds=LEASE):
            store.delete = lambda prefix: asyncio.sleep(3600, 0)  # type: ignore[method-assign]
        return asyncio.get_running_loop().time()

    assert play(story()) == pytest.approx(1.0)
