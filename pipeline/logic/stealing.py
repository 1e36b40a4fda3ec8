"""Which batch a worker takes next: its own bucket in order, then the waiting work of others; far longer work first.

Pure and without memory: who calls gives the batches that cannot be had. It must not know claims, stores or clocks. An
exclusive resource is one batch (see `batching`), so that whoever owns its claim holds the lock: no rule is needed here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from pipeline.model.plans import Batch, Plan

AHEAD = 20.0
"""How many claims' time before the expected end of a batch the next one is claimed. Earlier, and work waits behind a
test that turns out long while others are idle; when a longer test is the last, its claim afterwards costs less."""
URGENT = 8.0
"""A batch that waits elsewhere goes before a worker's own when it is that many times as long: long work that waits
behind a test gone slow would else be the end of the run."""
WORTH_SECONDS = 1.0
"""Shorter batches are never taken before a worker's own: to collect their file once more costs about as much."""


def next_batch(
    plan: Plan, bucket: int, taken: Collection[int], *, last: int | None = None, suites: Collection[str] = ()
) -> int | None:
    """Choose the batch to claim next, or None when nothing waits.

    `taken` holds every batch that is claimed, done, or already queued at this worker; give a set. `bucket` may name no
    bucket (a resumed run with more workers): then everything is stolen. `last` is the batch this worker ran last,
    whose suite and file it has warm. With `suites`, it takes no other suite's batches: those of its pool.
    """
    own = _head(plan, plan.buckets[bucket], taken, suites) if 0 <= bucket < len(plan.buckets) else None
    if own is None:
        return _steal(plan, taken, last, suites)
    urgent = _longest_head(plan, taken, plan.tests[own.tests[0]].suite, suites)
    return urgent.number if is_urgent(urgent, own) else own.number


def is_urgent(batch: Batch, beside: Batch) -> bool:
    """Whether it is so much longer than the other that it goes before it."""
    return batch.seconds > max(URGENT * beside.seconds, WORTH_SECONDS)


def claims_ahead(left_seconds: float, claim_seconds: float) -> bool:
    """Whether to claim the next batch while `left_seconds` of the current one are still expected to come.

    Ask at every start of a test, the current one counted as if it were to last its whole estimate.
    """
    return claim_seconds > 0 and left_seconds <= AHEAD * claim_seconds


def may_run(plan: Plan, batch: Batch, suites: Collection[str]) -> bool:
    """Whether a worker of these suites, none named: of all, may take that batch."""
    return not suites or plan.tests[batch.tests[0]].suite in suites


def _head(plan: Plan, bucket: Iterable[int], taken: Collection[int], suites: Collection[str]) -> Batch | None:
    return next(_waiting(plan, bucket, taken, suites), None)


def _waiting(plan: Plan, bucket: Iterable[int], taken: Collection[int], suites: Collection[str]) -> Iterator[Batch]:
    waiting = (plan.batches[number] for number in bucket if number not in taken)
    return (batch for batch in waiting if may_run(plan, batch, suites))


def _longest_head(plan: Plan, taken: Collection[int], suite: str, suites: Collection[str]) -> Batch:
    """The longest of the batches that come next in their buckets; some bucket must have one of that suite."""
    heads = (_head(plan, bucket, taken, suites) for bucket in plan.buckets)
    ours = (head for head in heads if head is not None and plan.tests[head.tests[0]].suite == suite)
    return max(ours, key=lambda batch: batch.seconds)


def _steal(plan: Plan, taken: Collection[int], last: int | None, suites: Collection[str]) -> int | None:
    waiting = [list(_waiting(plan, bucket, taken, suites)) for bucket in plan.buckets]
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
