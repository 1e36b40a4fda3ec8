"""A worker that is far slower than the others leaves the end of the run to them, and only that, and not for ever."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.model.plans import Batch
from pipeline.protocol.paces import Paces


class Clock:
    """One that stands still until it is set."""

    now = 0.0

    def monotonic(self) -> float:
        """Now."""
        return self.now


class Crew:
    """Workers w0, w1, … of one view; w0 takes `slowness` times as long as estimated, the others as long."""

    def __init__(self, count: int, waiting: int, slowness: float) -> None:
        self.paces, self.clock = Paces(), Clock()
        batches = [Batch(number=number, tests=(number,), seconds=1.0, bucket=0) for number in range(waiting)]
        self.plan = SimpleNamespace(batches=batches)
        self.view = SimpleNamespace(taken=set(), paces=self.paces)
        self.seating: Any = None
        self.workers: list[Any] = [self._worker(number) for number in range(count)]
        for number, worker in enumerate(self.workers):
            self.paces.note(worker, 1.0 if number else slowness, 1.0)

    def _worker(self, number: int) -> Any:
        return SimpleNamespace(
            name=f"w{number}",
            birth=SimpleNamespace(suites=(), queue=f"h/{number}"),
            view=self.view,
            plan=self.plan,
            clock=self.clock,
            foreign=frozenset(),
            seating=self.seating,
        )

    def sit(self, own: set[int]) -> None:
        """Their queues: only that of w0 may run the batches `own`; those of all others run what is left."""
        self.seating = SimpleNamespace(may_run=lambda queue, batch: queue == "h/0" or batch not in own)
        for worker in self.workers:
            worker.seating = self.seating

    def holds_back(self, number: int = 0) -> bool:
        """Whether that worker leaves a batch of a second to the others."""
        return self.paces.holds_back(self.workers[number], self.plan.batches[0])


@pytest.mark.parametrize(("waiting", "holds"), [(100, False), (37, False), (35, True), (1, True)])
def test_the_end_is_left_to_the_others(waiting: int, holds: bool) -> None:
    """Four others do 36 batches in the nine seconds that ten of the slow one are longer than one of theirs."""
    assert Crew(5, waiting, 10.0).holds_back() is holds


def test_who_is_a_little_slower_works_to_the_end() -> None:
    """Machines differ; and nobody fast ever waits."""
    assert not Crew(5, 1, 1.9).holds_back()
    assert not Crew(5, 1, 10.0).holds_back(1)


def test_pace_is_what_was_needed_for_what_was_estimated() -> None:
    """Later tests count more, and nothing is known before the first."""
    crew = Crew(2, 1, 10.0)
    assert (crew.paces.factor(crew.workers[0]), crew.paces.factor(crew.workers[1])) == (10.0, 1.0)
    crew.paces.note(crew.workers[0], 1.0, 1.0)
    assert crew.paces.factor(crew.workers[0]) == pytest.approx(5.0)
    crew.paces.forget(crew.workers[0])
    assert crew.paces.factor(crew.workers[0]) is None


def test_who_is_alone_works() -> None:
    """Also when the others have ended meanwhile."""
    crew = Crew(2, 1, 10.0)
    assert crew.holds_back()
    crew.paces.forget(crew.workers[1])
    assert not crew.holds_back()
    assert not Crew(1, 1, 10.0).holds_back()


def test_nobody_is_waited_for_longer_than_the_work_would_have_taken() -> None:
    """The others may hang."""
    crew = Crew(2, 1, 10.0)
    assert crew.holds_back()
    crew.clock.now = 9.9
    assert crew.holds_back()
    crew.clock.now = 10.1
    assert not crew.holds_back()


def test_other_suites_workers_are_no_measure() -> None:
    """They cannot take its work over."""
    crew = Crew(2, 1, 10.0)
    crew.workers[0].birth.suites = ("own",)
    crew.paces.forget(crew.workers[0])
    crew.paces.note(crew.workers[0], 10.0, 1.0)
    assert not crew.holds_back()


def test_what_others_may_not_run_is_left_to_nobody() -> None:
    """A pinned batch begins at once, however slow its queue is."""
    crew = Crew(5, 1, 10.0)
    crew.sit(set())
    assert crew.holds_back()
    crew.sit({0})
    assert not crew.holds_back()


def test_work_that_others_may_not_run_does_not_keep_them_busy() -> None:
    """They are free for what is theirs, though much waits for the slow queue."""
    crew = Crew(5, 100, 10.0)
    assert not crew.holds_back()
    crew.sit(set(range(1, 100)))
    assert crew.holds_back()
