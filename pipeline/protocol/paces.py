"""How fast the workers of one process are, beside what was estimated; and whether a slow one should leave what waits to the others.

Near the end of a run a test begun on a host that takes ten times as long is the end of the run: faster workers would have done it
and all that waits sooner. Knows only workers that share its view; one that is alone never waits.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from statistics import median
from typing import TYPE_CHECKING

from attrs import define

if TYPE_CHECKING:
    from pipeline.model.plans import Batch
    from pipeline.protocol.worker import Worker

SLOW = 2.0
"""So many times slower than the median of the others is slow."""
FADE = 0.8
"""What a test before counts beside the one behind it."""


@define
class _Pace:
    suites: tuple[str, ...]
    queue: str
    seconds: float = 0.0
    estimated: float = 0.0
    held_since: float | None = None

    @property
    def factor(self) -> float:
        return self.seconds / self.estimated if self.estimated else 0.0


class Paces:
    """Of all workers of this process that live."""

    def __init__(self) -> None:
        self._paces: dict[str, _Pace] = {}

    def note(self, worker: Worker, seconds: float, estimated: float) -> None:
        """A test has ended."""
        pace = self._paces.setdefault(worker.name, _Pace(worker.birth.suites, worker.birth.queue))
        pace.seconds = FADE * pace.seconds + seconds
        pace.estimated = FADE * pace.estimated + estimated

    def forget(self, worker: Worker) -> None:
        """It has ended."""
        self._paces.pop(worker.name, None)

    def factor(self, worker: Worker) -> float | None:
        """How many times longer its tests take than was estimated; None before any has ended."""
        pace = self._paces.get(worker.name)
        return pace.factor if pace is not None else None

    def is_slow(self, worker: Worker) -> bool:
        """Whether it is far behind the others that may run what it runs."""
        return self._is_behind(worker, [pace.factor for pace in self._others(worker)])

    def holds_back(self, worker: Worker, batch: Batch) -> bool:
        """Whether the others that may run that batch will have done all that waits for them before this worker has done it.

        It waits no longer for them than the batch would have taken it.
        """
        others = [pace for pace in self._others(worker) if _may_run(worker, pace.queue, batch)]
        if not self._is_behind(worker, [pace.factor for pace in others]):
            return False
        own = self._paces[worker.name]
        fast = [pace for pace in others if SLOW * pace.factor < own.factor]
        mine, theirs = batch.seconds * own.factor, median(pace.factor for pace in fast)
        if mine <= _waiting(worker, {pace.queue for pace in fast}) * theirs / len(fast) + batch.seconds * theirs:
            own.held_since = None
            return False
        now = worker.clock.monotonic()
        own.held_since = now if own.held_since is None else own.held_since
        return now - own.held_since < mine

    def _is_behind(self, worker: Worker, others: Sequence[float]) -> bool:
        own = self._paces.get(worker.name)
        return own is not None and bool(others) and own.factor > SLOW * median(others)

    def _others(self, worker: Worker) -> list[_Pace]:
        suites = worker.birth.suites
        return [
            pace
            for name, pace in self._paces.items()
            if name != worker.name and pace.estimated and pace.suites == suites
        ]


def _may_run(worker: Worker, queue: str, batch: Batch) -> bool:
    return worker.seating is None or worker.seating.may_run(queue, batch.number)


def _waiting(worker: Worker, queues: Collection[str]) -> float:
    """Estimated seconds of all that nobody has claimed and workers of these queues may run."""
    taken, foreign = worker.view.taken, worker.foreign
    free = (each for each in worker.plan.batches if each.number not in taken and each.number not in foreign)
    return sum(each.seconds for each in free if any(_may_run(worker, queue, each) for queue in queues))
