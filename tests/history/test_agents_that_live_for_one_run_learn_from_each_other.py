"""History in a store: agents on many machines add to it at once, each level of trust its own; nothing is lost or torn."""

from __future__ import annotations

import asyncio
import random
import threading
from pathlib import Path
from typing import Any

import pytest
from attrs import define

from pipeline.adapters.clock import SystemClock
from pipeline.adapters.directory_store import DirectoryStore
from pipeline.adapters.history import SqliteHistory
from pipeline.errors import EngineError, StoreUnavailable
from pipeline.logic.durations import from_bytes
from pipeline.model.runs import MergedRun, Outcome
from pipeline.model.verdicts import Result, Verdict
from pipeline.ports import Store
from pipeline.protocol.remembering import StoreHistory, folder_of
from tests.fakes.faults import Fate, Operation
from tests.fakes.memory_store import MemoryStore
from tests.simulation.virtual_time import play

TEST = "unit::test_a.py::test"
DAY = 86_400.0
AGENTS = 8


@define
class Calendar:
    """A clock that stands at a day; waiting is the loop's."""

    day: float = 20_000.0

    def monotonic(self) -> float:
        """The loop's."""
        return asyncio.get_running_loop().time()

    def wall(self) -> float:
        """Noon of that day."""
        return (self.day + 0.5) * DAY

    async def sleep(self, seconds: float) -> None:
        """Let them pass."""
        await asyncio.sleep(seconds)


def run_of(name: str, seconds: float = 1.0, test: str = TEST) -> MergedRun:
    """A green run of one test."""
    outcome = Outcome(result=Result(test=test, verdict=Verdict.PASSED, seconds=seconds), worker="w")
    return MergedRun(run=name, plan="p", outcomes=(outcome,), exit_code=0)


def agent(store: Store, *, level: str = "trusted", day: float = 20_000.0, **more: Any) -> StoreHistory:
    """An agent that has just begun."""
    return StoreHistory(store, Calendar(day), wait=asyncio.run, tell=pytest.fail, level=level, **more)


@pytest.mark.parametrize("seed", range(40))
def test_runs_that_end_at_once_are_all_learned(seed: int) -> None:
    """Whatever the store's answers take, and when some are lost or come late: each run counts, once."""
    rng = random.Random(seed)

    def decide(operation: Operation) -> Fate:
        lost = rng.random() < 0.1 and operation.kind == "create"
        before, after = (rng.choice((0.0, 0.01, rng.random(), 5 * rng.random())) for _ in range(2))
        return Fate(before_seconds=before, after_seconds=after, answer_lost=lost)

    store = MemoryStore(decide=decide, wait=asyncio.sleep)

    async def story() -> None:
        async def learn(number: int) -> None:
            await asyncio.sleep(rng.random() * 10)
            # Not `learn`, which waits in a thread of its own.
            await agent(store)._learn(f"r-{number}", [("unit", TEST, float(number), False)], "main")

        await asyncio.gather(*(learn(number) for number in range(AGENTS)))

    play(story())

    newest = max(key for key in store.data.values if key.startswith(folder_of("trusted", "main")))
    known = from_bytes(store.data.read(newest) or b"")
    assert set(known.runs) == {f"r-{number}" for number in range(AGENTS)}
    assert sorted(known.tests[TEST][2]) == [float(number) for number in range(AGENTS)]


def test_a_directory_serves_as_well(tmp_path: Path) -> None:
    """A volume that agents share: processes there differ in nothing that counts from threads with stores of their own."""

    def learn(number: int) -> None:
        store = DirectoryStore(tmp_path)
        StoreHistory(store, SystemClock(), wait=asyncio.run, tell=pytest.fail).learn(run_of(f"r-{number}"), branch="b")

    threads = [threading.Thread(target=learn, args=(number,)) for number in range(AGENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    found = asyncio.run(agent(DirectoryStore(tmp_path))._newest(folder_of("trusted", "b")))
    assert found[0] == AGENTS
    assert len(found[1].runs) == AGENTS


def test_few_objects_are_kept_and_few_requests_made() -> None:
    """Of a branch two generations stand; reading is a listing and a read."""
    asked: list[str] = []

    def decide(operation: Operation) -> Fate:
        asked.append(operation.kind)
        return Fate()

    store = MemoryStore(decide=decide)
    for number in range(30):
        agent(store).learn(run_of(f"r-{number}"), branch="main")
    learning, asked[:] = list(asked), []

    assert agent(store).estimates("unit", ["main"]) == {TEST: 1.0}
    assert sum(key.startswith(folder_of("trusted", "main")) for key in store.data.values) == 2
    assert asked == ["list", "read"]
    assert len(learning) <= 30 * 9


def test_untrusted_builds_read_what_is_trusted_and_write_their_own() -> None:
    """Not even one that calls its branch main is heard by others."""
    store = MemoryStore()
    agent(store).learn(run_of("r-1", 1.0), branch="main")
    agent(store, level="pr-7").learn(run_of("r-2", 9.0), branch="main")

    assert agent(store).estimates("unit", ["main"]) == {TEST: 1.0}
    assert agent(store, level="pr-8").estimates("unit", ["fork", "main"]) == {TEST: 1.0}
    assert agent(store, level="pr-7").estimates("unit", ["main"]) == {TEST: 9.0}


def test_branches_that_differ_little_are_two() -> None:
    """Keys allow less than names of branches do, and some file systems know no case."""
    store = MemoryStore()
    names = ["feature/x", "feature-x", "Feature-x", "", ".", "é" * 300]
    for number, name in enumerate(names):
        agent(store).learn(run_of(f"r-{number}", number + 1.0), branch=name)

    assert [agent(store).estimates("unit", [name])[TEST] for name in names] == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]


def test_what_was_learned_on_this_machine_before_is_used_until_the_store_knows_better(tmp_path: Path) -> None:
    """Moving to a store forgets nothing."""
    local, store, other = SqliteHistory(tmp_path / "h.db"), MemoryStore(), "unit::test_a.py::other"
    local.learn(run_of("old-1", 5.0), branch="main")
    local.learn(run_of("old-2", 6.0, other), branch="main")
    agent(store).learn(run_of("r-1", 2.0), branch="main")

    assert agent(store, older=local).estimates("unit", ["main"]) == {TEST: 2.0, other: 6.0}


def test_tests_and_branches_that_nobody_has_seen_for_months_are_forgotten() -> None:
    """A branch goes with the next run on any other."""
    store, other = MemoryStore(), "unit::test_a.py::other"
    agent(store).learn(run_of("r-1"), branch="gone")
    agent(store).learn(run_of("r-2"), branch="main")
    agent(store, day=20_060).learn(run_of("r-3", test=other), branch="main")
    before = set(agent(store).estimates("unit", ["main"]))
    agent(store, day=20_130).learn(run_of("r-4", test=other), branch="main")

    assert before == {TEST, other}
    assert set(agent(store).estimates("unit", ["main"])) == {other}
    assert not [key for key in store.data.values if "gone" in key]


@pytest.mark.parametrize(
    "damage", [b"", b"nonsense", b"\x78\x9c\x03\x00\x00\x00\x00\x01"], ids=["cut", "torn", "empty"]
)
def test_a_damaged_history_costs_estimates_only(damage: bytes) -> None:
    """It is told, and learned from anew."""
    told: list[str] = []
    store = MemoryStore()
    asyncio.run(store.create(f"{folder_of('trusted', 'main')}00000004", damage))
    history = StoreHistory(store, Calendar(), wait=asyncio.run, tell=told.append)

    assert history.estimates("unit", ["main"]) == {}
    assert "damaged" in told[0]
    history.learn(run_of("r-1"), branch="main")
    assert agent(store).estimates("unit", ["main"]) == {TEST: 1.0}


def test_a_store_that_does_not_answer_costs_estimates_only() -> None:
    """A plan with worse estimates is better than none; that a run was not learned is an error that says so."""
    told: list[str] = []

    def wait(work: Any) -> Any:
        return play(work)

    store = MemoryStore(decide=lambda operation: Fate(refused=True))
    history = StoreHistory(store, Calendar(), wait=wait, tell=told.append)

    assert history.estimates("unit", ["feature", "main"]) == {}
    assert len(told) == 1
    assert "cannot be read" in told[0]
    with pytest.raises(StoreUnavailable):
        history.learn(run_of("r-1"), branch="main")


def test_an_agent_that_never_wins_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounded, as everything is: its run counts all the same."""
    store = MemoryStore()
    learner = agent(store)

    async def lose(key: str, data: bytes) -> bool:
        return False

    monkeypatch.setattr(learner, "_mark", lambda branch: asyncio.sleep(0))
    monkeypatch.setattr(store, "create", lose)
    with pytest.raises(EngineError, match="always faster"):
        learner.learn(run_of("r-1"), branch="main")
