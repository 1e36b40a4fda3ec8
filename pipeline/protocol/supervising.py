"""A supervisor's life: birth, work, tombstone. The same code for every launcher.

It writes its birth, then reads whether the run is ending, then claims; its own tombstone comes last.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from attrs import frozen

from pipeline.errors import EngineError, Fenced, FleetError, PlaceLost, StoreUnavailable
from pipeline.logic.objects import Tomb, to_bytes
from pipeline.model.events import WorkerStarted
from pipeline.ports import Clock
from pipeline.protocol import keys
from pipeline.protocol.dismissing import kill_session
from pipeline.protocol.shifts import Shift
from pipeline.protocol.tombs import bury
from pipeline.protocol.watching import beat_for_ever, watch_for_ever
from pipeline.protocol.worker import Worker


@frozen
class Life:
    """How a supervisor ended: its cause, and what a person should know of it."""

    cause: str
    tests: int
    seconds: float
    detail: str = ""
    error: EngineError | None = None
    was_born: bool = True
    """False: another party's worker has that name."""


async def supervise(worker: Worker) -> Life:
    """Live. Never raises for what a store, a harness or a test does."""
    if not await be_born(worker):
        return Life("fenced", 0, 0.0, was_born=False)
    shift = Shift(worker)
    try:
        life = await _live(worker, shift)
        await _end(worker, life)
    finally:
        worker.view.paces.forget(worker)
    if worker.rooms is not None:
        worker.rooms.leave(worker.name, after_seconds=worker.haunted_seconds())
    return life


async def be_born(worker: Worker) -> bool:
    """Write the birth; False: that name is another's."""
    birth = worker.birth
    if not await worker.store.create(keys.worker(worker.run, birth.worker), to_bytes(birth)):
        return False
    worker.emit(
        WorkerStarted(
            time=worker.clock.wall(),
            worker=birth.worker,
            slot=birth.slot,
            launcher=birth.launcher,
            place=birth.place,
            log=birth.log,
        )
    )
    return True


async def _live(worker: Worker, shift: Shift) -> Life:
    """Work until there is nothing left, an order, or an end from outside."""
    work = asyncio.ensure_future(shift.work())
    stopped = asyncio.ensure_future(worker.orders.is_stopped.wait())
    side = [asyncio.ensure_future(each(worker)) for each in (beat_for_ever, watch_for_ever, Worker.flush_for_ever)]
    everything = [work, stopped, *side]
    try:
        await asyncio.wait(everything, return_when=asyncio.FIRST_COMPLETED)
        if work.done() and not stopped.done() and not any(task.done() for task in side):
            return _told(worker, work)
        if stopped.done():
            return Life("stopped", worker.finished, _age(worker))
        return _told(worker, next(task for task in (*side, work) if task.done()))
    finally:
        shift.drop_ahead()
        for task in everything:
            task.cancel()
        await asyncio.gather(*everything, return_exceptions=True)


def _told(worker: Worker, task: asyncio.Future[None]) -> Life:
    try:
        task.result()
    except Fenced as error:
        return Life("fenced", worker.finished, _age(worker), str(error))
    except PlaceLost as error:
        return Life("node-lost", worker.finished, _age(worker), str(error), error)
    except EngineError as error:
        return Life("engine", worker.finished, _age(worker), str(error), error)
    return Life("finished", worker.finished, _age(worker))


async def _end(worker: Worker, life: Life) -> None:
    """End the harness, make the journal durable, write the own tombstone last."""
    if life.cause == "stopped":
        async with _beating(worker):  # A test and what is torn down may have longer to end than a permission lasts.
            await kill_session(worker, grace_seconds=worker.limits.stop_seconds)
    else:
        await kill_session(worker, grace_seconds=0.0)
    await _part(worker, life)
    try:
        await _within(worker.clock, worker.limits.lease_seconds, _write_last(worker, life))
    except TimeoutError:
        worker.notice("warning", "the store does not answer: left without a tombstone")


async def _part(worker: Worker, life: Life) -> None:
    """Send home what is to come home, still beating; verdicts first, and never at the cost of the tombstone."""
    if worker.parting is None or life.cause == "fenced":
        return
    limits = worker.limits
    try:
        async with _beating(worker):
            await _within(worker.clock, limits.lease_seconds, worker.flush())
            seconds = limits.stop_seconds if life.cause == "stopped" else limits.finish_seconds
            await _within(worker.clock, seconds, worker.parting())
    except TimeoutError:
        worker.notice("warning", "there was not enough time to send home what tests have left")
    except FleetError as error:
        worker.notice("warning", f"what tests have left stays behind: {error}")


@asynccontextmanager
async def _beating(worker: Worker) -> AsyncIterator[None]:
    """Renew while inside. Whoever is fenced renews no more, and so its harness is killed."""
    beating = asyncio.ensure_future(beat_for_ever(worker))
    try:
        yield
    finally:
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)


async def _write_last(worker: Worker, life: Life) -> Tomb | None:
    is_clean = life.cause == "finished" and not worker.unfinished
    try:
        await worker.flush()
    except (Fenced, StoreUnavailable):
        is_clean = False
    tomb = await bury(
        worker.store,
        worker.run,
        worker.name,
        plan=worker.plan.digest,
        by=worker.name,
        nonce=worker.birth.nonce,
        cause=life.cause,
        proof=not worker.has_unproven_end,
        detail=life.detail,
        wall=worker.clock.wall(),
        is_clean=is_clean,
    )
    worker.orders.wake()
    return tomb


async def _within(clock: Clock, seconds: float, work: Coroutine[Any, Any, object]) -> None:
    task = asyncio.ensure_future(work)
    limit = asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait((task, limit), return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            limit.result()
            raise TimeoutError
        task.result()
    finally:
        task.cancel()
        limit.cancel()


def _age(worker: Worker) -> float:
    return worker.clock.monotonic() - worker.born
