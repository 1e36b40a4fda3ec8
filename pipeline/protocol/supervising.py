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
from pipeline.logic.blame import Part
from pipeline.logic.objects import Tomb, to_bytes
from pipeline.logic.stealing import claims_ahead
from pipeline.model.events import WorkerStarted
from pipeline.ports import Clock
from pipeline.protocol import keys
from pipeline.protocol.assignments import Assignment, Portion
from pipeline.protocol.carrying import carry_out, is_sent, send_part
from pipeline.protocol.claiming import claim_next, sees_ending
from pipeline.protocol.dismissing import finish_session, kill_session
from pipeline.protocol.tombs import bury
from pipeline.protocol.view import standing_ending
from pipeline.protocol.watching import beat_for_ever, watch_for_ever
from pipeline.protocol.worker import Worker

CLAIM_SECONDS = 0.02
"""Least time a claim is reckoned with: what the harness says is heard that late."""


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


async def may_work(worker: Worker) -> bool:
    """Whether no ending stands; read after the birth is written, so that worker or closer sees the other."""
    return not standing_ending([entry.key for entry in await worker.store.list(keys.endings(worker.run))])


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


class Shift:
    """One worker's claims, one after the other, the next one fetched ahead."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._ahead: asyncio.Task[Assignment | None] | None = None
        self._last: int | None = None
        self._claim_seconds = CLAIM_SECONDS

    async def work(self) -> None:
        """Claim and carry out until nothing can be had and the run is complete, ending or over."""
        if not await may_work(self._worker):
            return
        while (assignment := await self._next()) is not None:
            self._last = assignment.batch.number
            await self._carry_out(assignment)
            if assignment.left:
                break  # It drains: its tombstone releases what is left.
            self._worker.unfinished.discard((assignment.claim.batch, assignment.claim.attempt))
        await finish_session(self._worker)

    async def _carry_out(self, assignment: Assignment) -> None:
        """Where there are budgets, when there is room, and no more if it drains first; what a harness holds that was not heard to end
        is kept for it."""
        worker = self._worker
        if worker.rooms is not None:
            await worker.rooms.enter(worker.name, worker.birth.slot, assignment.batch.number, unless=worker.draining)
        await carry_out(worker, assignment, near_end=self._near_end)
        if worker.rooms is not None:
            worker.rooms.leave(worker.name, after_seconds=worker.haunted_seconds())
            worker.orders.wake()  # Nobody else on that host may have claimed what has room now.

    async def _next(self) -> Assignment | None:
        worker = self._worker
        if self._ahead is not None:
            ahead, self._ahead = self._ahead, None
            assignment = await ahead
            if assignment is not None and (not worker.draining.is_set() or is_sent(worker, assignment)):
                return assignment
        since = worker.clock.monotonic()
        while not worker.orders.is_over and not worker.draining.is_set():
            assignment = await self._claim()
            if assignment is not None:
                return assignment
            await finish_session(worker)
            await worker.flush()
            if self._has_waited_enough(since):
                break
            await worker.orders.pause(worker.clock, worker.limits.idle_seconds)
        return None

    def _has_waited_enough(self, since: float) -> bool:
        worker = self._worker
        is_over = sees_ending(worker.view) or worker.orders.is_superseded
        return is_over or worker.clock.monotonic() - since >= worker.linger_seconds

    async def _claim(self) -> Assignment | None:
        clock = self._worker.clock
        before = clock.monotonic()
        assignment = await claim_next(self._worker, last=self._last)
        self._claim_seconds = max(CLAIM_SECONDS, clock.monotonic() - before)
        return assignment

    def _near_end(self, portion: Portion) -> None:
        """Claim the next batch while the last tests of this one run."""
        if self._worker.rooms is not None:
            return  # The next one may have to wait for room.
        if (
            self._ahead is not None
            or self._worker.draining.is_set()
            or self._worker.orders.is_over
            or not self._is_near_end(portion)
            or self._worker.view.paces.is_slow(self._worker)  # Others will have done it before this one gets there.
            or self._is_last_round()
        ):
            return
        self._ahead = asyncio.ensure_future(self._claim_ahead(portion))
        self._ahead.add_done_callback(_see_error)

    def _is_near_end(self, portion: Portion) -> bool:
        """Whether so little is expected to be left, by this run's pace, that the next batch should be claimed now.

        Nothing is expected before the first test has ended: without a history, all are taken for short.
        """
        pace = self._worker.view.paces.factor(self._worker)
        return pace is not None and claims_ahead(portion.seconds_left * pace, self._claim_seconds)

    def _is_last_round(self) -> bool:
        """Whether workers may soon find nothing: what this one claimed ahead would wait behind a test that turns out long."""
        plan = self._worker.plan
        return len(plan.batches) - len(self._worker.view.taken) <= len(plan.buckets)

    async def _claim_ahead(self, portion: Portion) -> Assignment | None:
        """Claim, and send at once when the same harness can go straight on."""
        assignment = await self._claim()
        session = self._worker.session
        if assignment is None or session is None or portion.label not in session.portions:
            return assignment
        part = assignment.parts()[0] if assignment.left and not assignment.charges else None
        current = portion.assignment
        goes_on = len(current.left) == len(portion.left)
        fits = part is not None and not part.alone and assignment.suite == session.suite and goes_on
        if part is not None and fits and may_go_straight_on(portion, part):
            assignment.ready = await send_part(self._worker, assignment, part)
        return assignment

    def drop_ahead(self) -> None:
        """Forget the claim under way; its batch is released by the tombstone."""
        if self._ahead is not None:
            self._ahead.cancel()


def _see_error(task: asyncio.Task[Assignment | None]) -> None:
    """Keep an unread error from being reported a second time."""
    if not task.cancelled():
        task.exception()


def may_go_straight_on(portion: Portion, part: Part) -> bool:
    """Whether tests may follow in the harness before the last final is durable: never after one that runs alone."""
    return not portion.alone and (part.careful or not portion.careful)
