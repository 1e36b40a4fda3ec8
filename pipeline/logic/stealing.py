"""Which batch a worker takes next: its own bucket in order, then the waiting work of others.

Pure and without memory: who calls gives the batches that cannot be had. It must not know claims, stores or clocks. An
exclusive resource is one batch (see `batching`), so that whoever owns its claim holds the lock: no rule is needed here.
"""

from __future__ import annotations

from collections.abc import Collection

from pipeline.model.plans import Batch, Plan

AHEAD = 3.0
"""How many claims' time before the expected end of a batch the next one is claimed: late enough to leave work to
others until it is needed, early enough to hide a claim that takes longer than usual."""


def next_batch(plan: Plan, bucket: int, taken: Collection[int], *, last: int | None = None) -> int | None:
    """Choose the batch to claim next, or None when nothing waits.

    `taken` holds every batch that is claimed, done, or already queued at this worker; give a set. `bucket` may name no
    bucket (a resumed run with more workers): then everything is stolen. `last` is the batch this worker ran last,
    whose suite and file it has warm.
    """
    if 0 <= bucket < len(plan.buckets):
        for number in plan.buckets[bucket]:
            if number not in taken:
                return number
    return _steal(plan, taken, last)


def claims_ahead(left_seconds: float, claim_seconds: float) -> bool:
    """Whether to claim the next batch while `left_seconds` of the current one are still expected to come."""
    return left_seconds <= AHEAD * claim_seconds


def _steal(plan: Plan, taken: Collection[int], last: int | None) -> int | None:
    waiting = [[plan.batches[number] for number in bucket if number not in taken] for bucket in plan.buckets]
    warm = plan.batches[last] if last is not None else None
    if warm is not None:
        waiting = _of_suite(plan, waiting, plan.tests[warm.tests[0]].suite) or waiting
    victim = max(waiting, key=_left, default=[])
    return _cheapest(plan, victim, warm).number if victim else None


def _of_suite(plan: Plan, waiting: list[list[Batch]], suite: str) -> list[list[Batch]]:
    """Keep what needs no new harness; another suite's batches are taken only when nothing else waits."""
    kept = [[batch for batch in bucket if plan.tests[batch.tests[0]].suite == suite] for bucket in waiting]
    return [bucket for bucket in kept if bucket]


def _left(bucket: list[Batch]) -> float:
    return sum(batch.seconds for batch in bucket)


def _cheapest(plan: Plan, victim: list[Batch], warm: Batch | None) -> Batch:
    """Take the longest batch, or one nearly as long whose file this worker has collected already."""
    longest = max(victim, key=lambda batch: batch.seconds)
    if warm is None:
        return longest
    file = plan.tests[warm.tests[-1]].file
    near = (batch for batch in victim if 2 * batch.seconds >= longest.seconds)
    return next((batch for batch in near if plan.tests[batch.tests[0]].file == file), longest)
