"""The leader hears workers elsewhere through their journals: each thing once, nothing of before, at the price of what is new."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from pipeline.adapters.clock import SystemClock
from pipeline.errors import StoreDamaged, StoreUnavailable
from pipeline.logic.objects import Birth, to_bytes
from pipeline.logic.records import NOBODY, write_record
from pipeline.model import events as e
from pipeline.model.plans import Plan
from pipeline.protocol import keys
from pipeline.protocol.certain import CertainStore
from pipeline.protocol.hearing import Hearer, list_births
from pipeline.protocol.tombs import bury
from pipeline.protocol.view import RunView
from tests.fakes.faults import Fate, Operation
from tests.fakes.memory_data import JournalData
from tests.fakes.memory_store import MemoryStore
from tests.logic.suites import planned, uniform

RUN = "r-1"
GOOD = {"verdict": "passed", "seconds": 1.0}
BAD = {"verdict": "failed", "message": "no"}


class Scene:
    """A store with a run of one suite, workers elsewhere in it, and a leader's ears."""

    def __init__(self, tests: int = 4) -> None:
        self.plan: Plan = planned(uniform(tests, 1.0), 1)
        self.store = MemoryStore()
        self.told: list[e.Event] = []
        self.clock = Clock()
        certain = CertainStore(self.store, self.clock)
        self.view = RunView(RUN, self.plan, certain, self.clock, lease_seconds=10.0)
        self.hearer = Hearer(
            run=RUN,
            store=certain,
            view=self.view,
            clock=self.clock,
            emit=self.told.append,
            slow_after_seconds=60.0,
            is_own=lambda name: name == "own-1",
            births=lambda: list_births(certain, RUN),
        )

    async def born(self, worker: str = "w0-1") -> None:
        """A worker writes its birth."""
        birth = Birth(worker=worker, nonce="n", plan=self.plan.digest, term=1, slot=0, bucket=0, place="pod a")
        await self.store.create(keys.worker(RUN, worker), to_bytes(birth))

    async def says(self, *records: tuple[str, int, dict[str, Any]], worker: str = "w0-1", attempt: int = 1) -> None:
        """A worker makes records durable: (kind, test, body)."""
        journal = self.store.journal(keys.journal(RUN, worker))
        for kind, test, body in records:
            batch = NOBODY if kind == "ready" else self.batch_of(test)
            journal.append(write_record(kind, batch, attempt, test, body))
        await journal.flush()

    def batch_of(self, test: int) -> int:
        """The batch that holds a test."""
        return next(batch.number for batch in self.plan.batches if test in batch.tests)

    async def ends(self, worker: str = "w0-1", cause: str = "finished", salvaged: Sequence[bytes] = ()) -> None:
        """A worker's tombstone."""
        certain = CertainStore(self.store, self.clock)
        await bury(
            certain, RUN, worker, plan=self.plan.digest, by="b", nonce="n", cause=cause, proof=True, salvaged=salvaged
        )
        await self.view.refresh()

    def kinds(self) -> list[str]:
        """What was told, by kind."""
        return [type(event).__name__ for event in self.told]


class Clock(SystemClock):
    """A clock that a test moves."""

    now = 100.0

    def monotonic(self) -> float:
        return self.now


def test_a_worker_elsewhere_is_told_of_like_one_here() -> None:
    """From birth to end, in order, each once however often one looks."""
    scene = Scene()

    async def claim() -> None:
        await scene.born()
        await scene.says(("ready", NOBODY, {"seconds": 0.5}), ("start", 0, {"at": 1.0}))
        for _ in range(3):
            await scene.hearer.hear()
        await scene.says(("final", 0, GOOD), ("start", 1, {}), ("final", 1, BAD))
        await scene.hearer.hear()
        await scene.ends()
        for _ in range(3):
            await scene.hearer.hear()

    asyncio.run(claim())

    batches = 1 if scene.batch_of(0) == scene.batch_of(1) else 2
    assert [kind for kind in scene.kinds() if kind != "BatchClaimed"] == [
        "WorkerStarted",
        "WorkerReady",
        "TestStarted",
        "TestFinished",
        "TestStarted",
        "TestFinished",
        "WorkerEnded",
    ]
    assert scene.kinds().count("BatchClaimed") == batches
    assert (scene.view.progress.done, scene.view.progress.bad) == (2, 1)


def test_what_was_done_before_is_counted_and_not_told() -> None:
    """A worker that an earlier agent hired is introduced with the test it is at; only what is new is told."""
    scene = Scene()

    async def claim() -> None:
        await scene.born()
        await scene.says(("start", 0, {}), ("final", 0, GOOD), ("start", 1, {}))
        await scene.hearer.catch_up()
        assert (scene.told, scene.view.progress.done) == ([], 1)
        await scene.says(("final", 1, GOOD))
        await scene.hearer.hear()

    asyncio.run(claim())

    assert scene.kinds() == ["WorkerStarted", "TestStarted", "TestFinished"]
    assert [event.result.test for event in scene.told if isinstance(event, e.TestFinished)] == [scene.plan.tests[1].id]


def test_the_dead_of_before_are_not_told() -> None:
    """Their results were counted when their tombstones were learnt."""
    scene = Scene()

    async def claim() -> None:
        await scene.born()
        await scene.says(("final", 0, GOOD))
        await scene.ends()
        await scene.hearer.catch_up()
        await scene.hearer.hear()

    asyncio.run(claim())

    assert scene.told == []


def test_own_workers_tell_of_themselves() -> None:
    """Nothing is told twice where supervisors share this process."""
    scene = Scene()

    async def claim() -> None:
        await scene.born("own-1")
        await scene.says(("final", 0, GOOD), worker="own-1")
        await scene.hearer.hear()
        await scene.ends("own-1")
        await scene.hearer.hear()

    asyncio.run(claim())

    assert scene.told == []


def test_last_words_are_told_with_the_end() -> None:
    """A worker that was born and died between two looks is told of whole, with what was salvaged from it."""
    scene = Scene()

    async def claim() -> None:
        await scene.born()
        await scene.says(("start", 0, {}), ("final", 0, GOOD), ("start", 1, {}), ("start", 2, {}))
        lines = [write_record("final", scene.batch_of(1), 1, 1, GOOD)]
        await scene.ends(cause="out-of-memory", salvaged=lines)
        await scene.hearer.hear()

    asyncio.run(claim())

    finished = [event.result.test for event in scene.told if isinstance(event, e.TestFinished)]
    lost = scene.told[-1]
    assert finished == [scene.plan.tests[0].id, scene.plan.tests[1].id]
    assert isinstance(lost, e.WorkerLost)
    assert (lost.cause, lost.test, lost.proof) == ("out-of-memory", scene.plan.tests[2].id, True)


def test_a_harness_that_died_is_told() -> None:
    """With the test that is charged; a death that was asked for is no news."""
    scene = Scene()

    async def claim() -> None:
        await scene.born()
        asked = {"charge": "", "proof": True, "cause": "signalled", "code": -15}
        await scene.says(("death", 0, asked), ("death", 1, {**asked, "charge": "crash", "code": -11}))
        await scene.hearer.hear()

    asyncio.run(claim())

    (lost,) = [event for event in scene.told if isinstance(event, e.WorkerLost)]
    assert (lost.test, lost.detail) == (scene.plan.tests[1].id, "signalled, status -11")


def test_slow_tests_are_told_by_the_leaders_clock() -> None:
    """Once each time the span passes, from when the start was heard."""
    scene = Scene()

    async def claim() -> None:
        await scene.born()
        await scene.says(("start", 0, {}))
        for now in (100.0, 159.0, 161.0, 170.0, 221.0):
            scene.clock.now = now
            await scene.hearer.hear()

    asyncio.run(claim())

    assert [event.seconds for event in scene.told if isinstance(event, e.TestSlow)] == [61.0, 121.0]


def test_an_outage_loses_and_repeats_nothing() -> None:
    """A look that fails is made up for by the next."""
    scene = Scene()
    trouble = [True]

    def decide(operation: Operation) -> Fate:
        return Fate(answer_lost=operation.kind == "journal-read" and trouble[0])

    async def claim() -> None:
        await scene.born()
        await scene.says(("start", 0, {}), ("final", 0, GOOD))
        scene.store.decide = decide
        for _ in range(2):
            with pytest.raises(StoreUnavailable):
                await scene.hearer.hear()
        trouble[0] = False
        await scene.hearer.hear()

    asyncio.run(claim())

    assert scene.kinds().count("TestFinished") == 1


def test_following_costs_by_what_is_new(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over many looks each record is read from the store once."""
    scene = Scene(tests=200)
    read = [0]
    original = JournalData.read_from

    def counting(journal: JournalData, position: str) -> tuple[Sequence[bytes], str]:
        found, after = original(journal, position)
        read[0] += len(found)
        return found, after

    monkeypatch.setattr(JournalData, "read_from", counting)

    async def claim() -> None:
        await scene.born()
        for test in range(200):
            await scene.says(("start", test, {}), ("final", test, GOOD))
            await scene.hearer.hear()

    asyncio.run(claim())

    assert read[0] == 400
    assert scene.view.progress.done == 200


@pytest.mark.parametrize(
    "line",
    [
        b"start 0 1 4 {}",
        b"start 0 1 -2 {}",
        b"start 0 1 -1 {}",
        b"final 99 1 0 {}",
        b"final -7 1 0 {}",
        b"nonsense",
        b"\xff",
    ],
)
def test_a_record_of_nothing_in_the_plan_is_damage(line: bytes) -> None:
    """Tests may write where their worker writes: the run ends with a reason, and the leader not with a traceback."""
    scene = Scene()

    async def play() -> None:
        await scene.born()
        journal = scene.store.journal(keys.journal(RUN, "w0-1"))
        journal.append(line)
        await journal.flush()
        await scene.hearer.hear()

    with pytest.raises(StoreDamaged):
        asyncio.run(play())


def test_a_worker_that_is_ready_after_nonsense_is_told() -> None:
    """How long it took is for people only."""
    scene = Scene()

    async def play() -> None:
        await scene.born()
        await scene.says(("ready", NOBODY, {"seconds": ["x"]}))
        await scene.hearer.hear()

    asyncio.run(play())
    assert [event.seconds for event in scene.told if isinstance(event, e.WorkerReady)] == [0.0]


@pytest.mark.parametrize("salvaged", [b"final 0 1 4 {}", b"final 0 1 -1 {}"])
def test_last_words_about_nothing_in_the_plan_are_damage(salvaged: bytes) -> None:
    """They come from a file that tests may write."""
    scene = Scene()

    async def play() -> None:
        await scene.born()
        await scene.ends(salvaged=[salvaged])
        await scene.view.refresh()

    with pytest.raises(StoreDamaged):
        asyncio.run(play())
