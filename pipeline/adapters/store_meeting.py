"""Agent and workers meet in a folder that they are to share, before anybody relies on it: see `store_probe.probe`.

A worker elsewhere asks below `runs/<run>/meetings/<worker>`; the agent looks for those and comes. Once one worker of a run
has met the agent, which it notes below `runs/<run>/met/`, others have the same volume, mounted alike: replacements begin
although the agent is gone. A worker that sees another folder finds no run there and never comes here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from pipeline.adapters.store_probe import LIMIT_SECONDS, probe
from pipeline.errors import FleetError
from pipeline.ports import Clock, Store

AGENT: Final = "agent"
LOOK_SECONDS: Final = 0.5


async def meet_agent(
    store: Store, clock: Clock, run: str, worker: str, *, limit_seconds: float = LIMIT_SECONDS
) -> None:
    """See that what agent and worker write is seen by the other soon. Raises `UsageError` when it is not."""
    if await store.list(_met(run)):
        return
    await probe(store, clock, key=_meeting(run) + worker, me=worker, other=AGENT, limit_seconds=limit_seconds)
    await store.create(_met(run) + worker, b"1")


@asynccontextmanager
async def meeting_workers(store: Store, clock: Clock, run: str, tell: Callable[[str], None]) -> AsyncIterator[None]:
    """While inside, come to meetings; one that goes wrong is told."""
    answering = asyncio.ensure_future(_come_for_ever(store, clock, run, tell))
    try:
        yield
    finally:
        answering.cancel()
        await asyncio.gather(answering, return_exceptions=True)


async def _come_for_ever(store: Store, clock: Clock, run: str, tell: Callable[[str], None]) -> None:
    come: dict[str, asyncio.Task[None]] = {}
    try:
        while not await store.list(_met(run)):
            for entry in await store.list(_meeting(run)):
                worker = entry.key.removeprefix(_meeting(run)).partition("/")[0]
                if worker not in come:
                    come[worker] = asyncio.ensure_future(_come(store, clock, run, worker, tell))
            await clock.sleep(LOOK_SECONDS)
        await asyncio.gather(*come.values())
    finally:
        for task in come.values():
            task.cancel()
        await asyncio.gather(*come.values(), return_exceptions=True)


async def _come(store: Store, clock: Clock, run: str, worker: str, tell: Callable[[str], None]) -> None:
    try:
        await probe(store, clock, key=_meeting(run) + worker, me=AGENT, other=worker)
    except FleetError as error:
        tell(f"{error.message}; hint: {error.hint}")


def _meeting(run: str) -> str:
    return f"runs/{run}/meetings/"


def _met(run: str) -> str:
    return f"runs/{run}/met/"
