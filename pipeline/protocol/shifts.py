"""One worker's claims, one after the other: each is carried out, and the next one fetched ahead where that takes it from nobody.

Knows neither births, beats nor tombstones; whoever supervises it ends it.
"""

from __future__ import annotations

import asyncio

from pipeline.logic.blame import Part
from pipeline.logic.stealing import claims_ahead
from pipeline.protocol import keys
from pipeline.protocol.assignments import Assignment, Portion
from pipeline.protocol.carrying import carry_out, is_sent, send_part
from pipeline.protocol.claiming import claim_next, sees_ending
from pipeline.protocol.dismissing import finish_session
from pipeline.protocol.view import standing_ending
from pipeline.protocol.worker import Worker

CLAIM_SECONDS = 0.02
"""Least time a claim is reckoned with: what the harness says is heard that late."""


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
        ):
            return
        self._ahead = asyncio.ensure_future(self._claim_ahead(portion))
        self._ahead.add_done_callback(_see_error)

    def _is_near_end(self, portion: Portion) -> bool:
        """Whether the next batch should be claimed now.

        Most harnesses tear everything down when they know of no test that follows, so theirs is there when the last one begins. To those
        that keep what is set up it comes early enough when little is expected to be left, by this run's pace (nothing is expected before
        a first test has ended), and never where others may soon find nothing: it would wait behind a test that turns out long.
        """
        session = self._worker.session
        if session is None or not session.heard:
            return False
        if not session.keeps:
            return len(portion.left) <= 1 or claims_ahead(portion.seconds_left, self._claim_seconds)
        pace = self._worker.view.paces.factor(self._worker)
        is_soon = pace is not None and claims_ahead(portion.seconds_left * pace, self._claim_seconds)
        return is_soon and not self._is_last_round()

    def _is_last_round(self) -> bool:
        """Whether no more waits than there are workers."""
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


async def may_work(worker: Worker) -> bool:
    """Whether no ending stands; read after the birth is written, so that worker or closer sees the other."""
    return not standing_ending([entry.key for entry in await worker.store.list(keys.endings(worker.run))])


def _see_error(task: asyncio.Task[Assignment | None]) -> None:
    """Keep an unread error from being reported a second time."""
    if not task.cancelled():
        task.exception()


def may_go_straight_on(portion: Portion, part: Part) -> bool:
    """Whether tests may follow in the harness before the last final is durable: never after one that runs alone."""
    return not portion.alone and (part.careful or not portion.careful)
