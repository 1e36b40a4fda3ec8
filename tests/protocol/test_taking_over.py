"""Verdicts of earlier runs in a new one, and what an agent saw of changed sources: told to whoever comes later."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from pipeline.logic.bases import Basis
from pipeline.logic.objects import Birth, Claim, to_bytes
from pipeline.logic.planning import freeze
from pipeline.logic.records import NOBODY, write_record
from pipeline.model.plans import Batch, Plan
from pipeline.model.runs import Outcome
from pipeline.model.tests import Test
from pipeline.model.verdicts import Result, Verdict
from pipeline.protocol import closing, keys, resuming, taking_over
from pipeline.protocol.certain import CertainStore
from tests.fakes.memory_store import MemoryStore
from tests.simulation.processes import Process, SimClock
from tests.simulation.virtual_time import play

RUN = "id-1"


def _plan(tests: int = 4) -> Plan:
    """All tests in one batch."""
    known = [Test(id=f"s::{n}", suite="s", native=str(n), seconds=1.0) for n in range(tests)]
    batch = Batch(number=0, bucket=0, tests=tuple(range(tests)), seconds=float(tests))
    return freeze(known, [batch], [[0]], seed=0)


def _clock() -> SimClock:
    return SimClock(Process("job"))


def _results(*tests: int, source: str) -> dict[int, tuple[Result, str]]:
    return {n: (Result(test=f"s::{n}", verdict=Verdict.PASSED, seconds=1.0), source) for n in tests}


def _closer(store: MemoryStore, plan: Plan, nonce: str) -> closing.Closer:
    return closing.Closer(RUN, plan, CertainStore(store, _clock()), _clock(), nonce, f"agent {nonce}")


async def _opened(store: MemoryStore, plan: Plan) -> None:
    await resuming.join_run(store, _clock(), RUN, plan)


def test_two_earlier_runs_may_have_parts_of_one_batch() -> None:
    """All that is said to be taken over is in the run, with the run it comes from."""

    async def story() -> tuple[set[int], Any]:
        store, plan = MemoryStore(), _plan()
        await _opened(store, plan)
        found = {**_results(0, 1, source="new-1"), **_results(2, source="old-1")}
        taken = await taking_over.take_over(store, _clock(), RUN, plan, found, "n1")
        return taken, await resuming.merged(store, _clock(), RUN)

    taken, merged = play(story())
    origins = {one.result.test: dict(one.result.properties)["taken_over_from"] for one in merged.outcomes}
    assert taken == {0, 1, 2}
    assert origins == {"s::0": "new-1", "s::1": "new-1", "s::2": "old-1"}
    assert [test for test, _ in merged.missing] == ["s::3"]


def test_only_what_was_brought_is_told() -> None:
    """A batch that another agent's worker claimed meanwhile is that worker's."""

    async def story() -> tuple[set[int], Any]:
        store, plan = MemoryStore(), _plan()
        await _opened(store, plan)
        await _work(store, plan, "w0-1", 1, [])
        claim = Claim(worker="w0-1", nonce="n", plan=plan.digest, batch=0, attempt=1, tests=(0, 1, 2, 3))
        await store.create(keys.claim(RUN, 0, 0, 1), to_bytes(claim))
        results = _results(0, source="a-1")
        late = await taking_over.take_over(_Blind(store), _clock(), RUN, plan, results, "n1")
        seen = await taking_over.take_over(store, _clock(), RUN, plan, results, "n2")
        assert not await CertainStore(store, _clock()).read(keys.tomb(RUN, "w0-1"))
        return late | seen, await resuming.merged(store, _clock(), RUN)

    taken, merged = play(story())
    assert taken == set()
    assert not merged.outcomes


class _Blind:
    """A store that lists no claims yet, as it was a moment ago."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def list(self, prefix: str) -> Any:
        return [] if prefix == keys.claims(RUN) else await self._store.list(prefix)


def test_a_take_over_that_was_cut_off_is_made_up_for() -> None:
    """Its claims are nobody's any more, its worker runs nothing and is buried."""

    async def story() -> tuple[bool, set[int], bool, Any]:
        store, plan = MemoryStore(), _plan()
        await _opened(store, plan)
        cut = _CutOff(store)
        try:
            await taking_over.take_over(cut, _clock(), RUN, plan, _results(0, 1, source="a-1"), "n1")
        except KeyboardInterrupt:
            pass
        may = await taking_over.may_take_over(store, _clock(), RUN)
        taken = await taking_over.take_over(store, _clock(), RUN, plan, _results(0, 1, source="a-1"), "n2")
        again = await taking_over.may_take_over(store, _clock(), RUN)
        return may, taken, again, await resuming.merged(store, _clock(), RUN)

    may, taken, again, merged = play(story())
    assert may and not again
    assert taken == {0, 1}
    assert len(merged.outcomes) == 2


class _CutOff(_Blind):
    """Its agent is killed when it has claimed."""

    def journal(self, prefix: str) -> Any:
        raise KeyboardInterrupt


def test_a_run_that_somebody_works_on_takes_nothing_over() -> None:
    """What it has begun is its own."""

    async def story() -> bool:
        store, plan = MemoryStore(), _plan()
        await _opened(store, plan)
        await _work(store, plan, "w0-1", 1, [])
        return await taking_over.may_take_over(store, _clock(), RUN)

    assert not play(story())


async def _work(store: MemoryStore, plan: Plan, worker: str, term: int, tests: list[int]) -> None:
    """A worker of that agent has come to those verdicts."""
    birth = Birth(
        worker=worker, nonce=worker, plan=plan.digest, term=term, slot=0, bucket=0, launcher="x", place="", wall=0.0
    )
    await store.create(keys.worker(RUN, worker), to_bytes(birth))
    journal = store.journal(keys.journal(RUN, worker))
    head = {"plan": plan.digest, "worker": worker, "nonce": worker}
    journal.append(write_record("head", NOBODY, NOBODY, NOBODY, head))
    for test in tests:
        journal.append(write_record("final", 0, term, test, {"verdict": "passed", "seconds": 1.0}))
    await journal.flush()


def test_who_looked_at_the_sources_speaks_for_its_own_tests() -> None:
    """Those of an agent that was killed stand nowhere else, whoever goes on with the run in order."""

    async def story() -> tuple[set[str], set[str]]:
        store, plan = MemoryStore(), _plan()
        await _opened(store, plan)
        await _work(store, plan, "w0-1", 1, [0, 1])
        await _work(store, plan, "w0-2", 2, [2])
        merged = await resuming.merged(store, _clock(), RUN)
        assert len(merged.outcomes) == 3
        await taking_over.mark_checked(store, _clock(), RUN, 2, merged.outcomes)
        second = _ids(await taking_over.checked(store, _clock(), RUN))
        await closing.mark_mixed(_closer(store, plan, "n"))
        return second, _ids(await taking_over.checked(store, _clock(), RUN))

    assert play(story()) == ({"s::2"}, set())


def _ids(outcomes: Any) -> set[str]:
    return {one.result.test for one in outcomes if isinstance(one, Outcome)}


def test_changes_that_one_agent_saw_mark_a_run_that_another_closes() -> None:
    """Whether it had begun the ending before, or goes on with the run long after."""

    async def story() -> tuple[Any, Any]:
        store, plan = MemoryStore(), _plan()
        await _opened(store, plan)
        await _work(store, plan, "w0-1", 1, [0, 1, 2, 3])
        closer = _closer(store, plan, "b")
        await closing.begin_ending(closer, reason=closing.COMPLETE, errors=())
        await closing.mark_mixed(_closer(store, plan, "a"))
        merged = await closing.close(closer, reason=closing.COMPLETE)
        return merged, await resuming.merged(store, _clock(), RUN)

    closed, read = play(story())
    assert closed.mixed and read.mixed


def test_a_basis_that_is_not_the_runs_own_checks_nothing() -> None:
    """An agent with other hosts may go on with a run, but its verdicts do not rest on what the run says."""

    async def story() -> tuple[bool, bool]:
        store, basis = MemoryStore(), Basis(shared={"a": "1"}, rows={"s::0#0": "x"}, places={"p": "local"}, wall=1.0)
        await taking_over.write_basis(store, _clock(), RUN, basis)
        own = await taking_over.rests_on(store, _clock(), RUN, evolve(basis, wall=2.0))
        return own, await taking_over.rests_on(store, _clock(), RUN, evolve(basis, places={"q": "local"}))

    assert play(story()) == (True, False)


def test_a_damaged_head_is_named_and_left_out() -> None:
    """The others are read."""

    async def story() -> tuple[list[str], list[str]]:
        store, skipped = MemoryStore(), []
        await taking_over.write_basis(store, _clock(), RUN, Basis(wall=1.0))
        await store.create(keys.basis("bad-1", "head"), b"[")
        found = await taking_over.known_bases(
            store, _clock(), most=9, skip=lambda name, error: skipped.append(f"{name}: {error.message}")
        )
        return [name for name, _ in found], skipped

    found, skipped = play(story())
    assert found == [RUN]
    assert skipped and skipped[0].startswith("bad-1: the basis of a run")
