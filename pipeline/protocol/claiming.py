"""Take the next batch attempt: own bucket in order, then the longest waiting batch of the bucket with most time left.

A batch attempt belongs to whoever created its claim; attempt k+1 is only tried once attempt k's worker has a tombstone.
"""

from __future__ import annotations

from collections.abc import Set
from typing import TYPE_CHECKING

from pipeline.logic.objects import Claim, to_bytes
from pipeline.logic.stealing import is_urgent, next_batch
from pipeline.model.events import BatchClaimed
from pipeline.protocol import keys
from pipeline.protocol.assignments import Assignment
from pipeline.protocol.view import RunView
from pipeline.protocol.worker import Worker

if TYPE_CHECKING:
    from pipeline.protocol.rooms import Rooms


async def claim_next(worker: Worker, *, last: int | None) -> Assignment | None:
    """Claim a batch, or None when nothing can be had now."""
    view = worker.view
    is_fresh = False
    while True:
        number = _choose(worker, last=last)
        if number is None and is_fresh:
            return None
        if number is not None and view.paces.holds_back(worker, worker.plan.batches[number]):
            return None
        if number is not None:
            assignment = await try_claim(worker, number)
            if assignment is not None:
                return assignment
        await view.refresh(0.0 if number is not None else worker.limits.retry_seconds)
        view.reckon()
        is_fresh = True
        if sees_ending(view):
            return None


def _choose(worker: Worker, *, last: int | None) -> int | None:
    """Where queues differ, of what they may run; where hosts have budgets, first of what could begin now."""
    taken: Set[int] = worker.view.taken | frozenset(worker.foreign) if worker.foreign else worker.view.taken
    if worker.seating is not None:
        taken = taken | worker.seating.barred(worker.birth.queue)
    number = _next(worker, taken, last)
    return number if worker.rooms is None or number is None else _with_room(worker, worker.rooms, number, taken, last)


def _with_room(worker: Worker, rooms: Rooms, first: int, taken: Set[int], last: int | None) -> int | None:
    """What could begin now, if there is any; the `first` choice when that is so long that it is worth waiting for."""
    fitting = _next(worker, taken | rooms.too_large(worker.birth.slot), last)
    batches = worker.plan.batches
    if fitting is not None and not is_urgent(batches[first], batches[fitting]):
        return fitting
    return first if first == fitting or rooms.may_wait(worker.birth.slot, first) else fitting


def _next(worker: Worker, taken: Set[int], last: int | None) -> int | None:
    return next_batch(worker.plan, worker.birth.bucket, taken, last=last, suites=worker.birth.suites)


async def try_claim(worker: Worker, number: int) -> Assignment | None:
    """Create the claim of the batch's next attempt; None: another worker has it."""
    view, birth = worker.view, worker.birth
    if not view.is_waiting(number):  # Others may have taught the view between choosing and claiming.
        view.taken.add(number)
        return None
    attempt = view.attempts.get(number, 0) + 1
    charges, went_wrong = view.past(number, birth.term)
    claim = Claim(
        worker=birth.worker,
        nonce=birth.nonce,
        plan=worker.plan.digest,
        batch=number,
        attempt=attempt,
        tests=view.remaining(number),
        careful=is_careful(went_wrong=went_wrong),
    )
    view.taken.add(number)
    worker.unfinished.add((number, attempt))
    batch = worker.plan.batches[number]
    if not await worker.store.create(keys.claim(worker.run, batch.bucket, number, attempt), to_bytes(claim)):
        worker.unfinished.discard((number, attempt))
        return None
    view.learn_own_claim(claim)
    is_stolen = batch.bucket != birth.bucket
    worker.emit(
        BatchClaimed(
            time=worker.clock.wall(),
            worker=birth.worker,
            batch=number,
            attempt=attempt,
            tests=len(claim.tests),
            stolen=is_stolen,
        )
    )
    return Assignment(
        batch=batch,
        claim=claim,
        suite=worker.plan.tests[batch.tests[0]].suite,
        charges=charges,
        careful=claim.careful,
        is_stolen=is_stolen,
    )


def sees_ending(view: RunView) -> bool:
    """Whether the run is being closed: then nothing more is claimed."""
    return view.ending > 0


def is_careful(*, went_wrong: bool) -> bool:
    """Whether each start must be durable before its test begins: after any loss of that batch."""
    return went_wrong
