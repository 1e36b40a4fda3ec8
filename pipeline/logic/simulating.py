"""Play a plan through on imagined workers, with the claims and steals that real ones would make.

Discrete events on imagined time: nothing sleeps. Serves forecasts (durations are the estimates) and the scheduling
benchmark (durations are another version's). It must decide nothing itself: `stealing` does.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence

from attrs import define, field, frozen

from pipeline.logic.pooling import suites_of
from pipeline.logic.stealing import claims_ahead, next_batch
from pipeline.model.plans import Batch, Plan
from pipeline.model.pools import Pool


@frozen(kw_only=True)
class Simulated:
    """What became of an imagined run."""

    seconds: float
    """From the start to the end of the last test."""
    claims: int
    """Claims that were tried, lost ones included."""
    steals: int
    """Batches that ran elsewhere than in their bucket."""
    loads: int
    """How often some worker met a file for the first time: how often files were collected, fixtures set up."""


@define
class _Worker:
    number: int
    suites: tuple[str, ...] = ()
    free: float = 0.0
    """When its current batch ends."""
    last: int | None = None
    wanted: int | None = None
    """The batch whose claim is on its way."""


@define
class _Play:
    plan: Plan
    seconds: Sequence[float]
    claim_seconds: float
    taken: set[int] = field(factory=set)
    loaded: set[tuple[int, str, str]] = field(factory=set)
    claims: int = 0
    steals: int = 0


def simulate(
    plan: Plan,
    workers: int,
    *,
    seconds: Sequence[float] | None = None,
    claim_seconds: float = 0.0,
    pools: Sequence[Pool] = (),
) -> Simulated:
    """Run the plan on that many workers; `seconds` are the tests' real durations, in plan order (else the estimates).

    A claim takes its time while the current batch still runs, and fails when another worker's arrived first.
    """
    play = _Play(plan, [test.seconds for test in plan.tests] if seconds is None else seconds, claim_seconds)
    crew = [_Worker(number, suites_of(pools, number)) for number in range(workers)]
    arrivals = [(claim_seconds, worker.number) for worker in crew if _ask(play, worker)]
    heapq.heapify(arrivals)
    asks: list[tuple[float, int]] = []
    while arrivals or asks:
        if asks and (not arrivals or asks[0] <= arrivals[0]):
            time, number = heapq.heappop(asks)
            if _ask(play, crew[number]):
                heapq.heappush(arrivals, (time + claim_seconds, number))
        else:
            time, number = heapq.heappop(arrivals)
            heapq.heappush(asks, (_arrive(play, crew[number], time), number))
    return Simulated(
        seconds=max(worker.free for worker in crew), claims=play.claims, steals=play.steals, loads=len(play.loaded)
    )


def _ask(play: _Play, worker: _Worker) -> bool:
    """Send a claim, as the store looks now; False: nothing waits, this worker is done."""
    worker.wanted = next_batch(play.plan, worker.number, play.taken, last=worker.last, suites=worker.suites)
    play.claims += worker.wanted is not None
    return worker.wanted is not None


def _arrive(play: _Play, worker: _Worker, time: float) -> float:
    """Learn the claim's outcome; the time at which to send the next."""
    assert worker.wanted is not None
    if worker.wanted in play.taken:
        return time
    play.taken.add(worker.wanted)
    batch = play.plan.batches[worker.wanted]
    play.steals += batch.bucket != worker.number
    tests = (play.plan.tests[at] for at in batch.tests)
    play.loaded.update((worker.number, test.suite, test.file) for test in tests)
    start = max(time, worker.free)
    worker.last = worker.wanted
    worker.free = start + sum(play.seconds[at] for at in batch.tests)
    return max(time, _ask_time(play, batch, start))


def _ask_time(play: _Play, batch: Batch, start: float) -> float:
    """When the worker claims its next batch: at the start of one of this batch's tests, or at its end."""
    left = batch.seconds
    for at in batch.tests:
        if claims_ahead(left, play.claim_seconds):
            return start
        start += play.seconds[at]
        left -= play.plan.tests[at].seconds
    return start
