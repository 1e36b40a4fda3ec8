"""Broken versions that need more than a constant answer; each maker gets the original."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipeline.errors import Fenced
from pipeline.logic.blame import Part
from pipeline.logic.planning import freeze
from pipeline.model.verdicts import Verdict
from pipeline.ports import Remains

Call = Callable[..., Any]


def other_plan(original: Call) -> Call:
    """A resumed run is planned again."""

    async def adopt(store: Any, clock: Any, run: str) -> Any:
        plan = await original(store, clock, run)
        return freeze(plan.tests, plan.batches, plan.buckets, seed=2)

    return adopt


def own_plan(original: Call) -> Call:
    """The agent keeps its own plan, whatever stands."""

    async def open_run(store: Any, clock: Any, identity: str, plan: Any) -> Any:
        name, _ = await original(store, clock, identity, plan)
        return name, plan

    return open_run


def short(original: Call) -> Call:
    """One record that was sealed in is left out."""

    async def seal(store: Any, prefix: str) -> str:
        return str(max(0, int(await original(store, prefix)) - 1))

    return seal


def unfenced_flush(_: Call) -> Call:
    """A worker does not care that its journal is sealed."""

    async def flush(worker: Any) -> None:
        try:
            await worker.store.flush(worker.journal)
        except Fenced:
            pass

    return flush


def hasty(original: Call) -> Call:
    """The first death or loss convicts."""

    def convict(charges: Any, patience: Any) -> Any:
        return Verdict.CRASHED if charges.crashes + charges.losses >= 1 else original(charges, patience)

    return convict


def next_test(original: Call) -> Call:
    """Whoever comes next is blamed."""

    def flying(session: Any, end: Any) -> Any:
        test = original(session, end)
        if test is None:
            return None
        later = [each for portion in session.portions.values() for each in portion.left if each > test]
        return min(later, default=test)

    return flying


def to_withdrawals(_: Call) -> Call:
    """Every ending stands for ever."""

    def standing(found: Any) -> int:
        names = [key.rsplit("/", 1)[1] for key in found]
        return max((int(name) for name in names if "." not in name), default=0)

    return standing


def go_on_once(original: Call) -> Call:
    """The first close is always given up, so that withdrawals happen at all."""
    seen: list[str] = []

    def must_go_on(reason: str, merged: Any) -> bool:
        seen.append(reason)
        return original(reason, merged) or (reason == "complete" and len(seen) == 1)

    return must_go_on


def together(_: Call) -> Call:
    """Suspects come last, but in one harness with everybody else."""

    def divide(tests: Any, charges: Any, *, careful: bool) -> tuple[Part, ...]:
        return (Part(tests=tuple(sorted(tests, key=lambda test: test in charges)), careful=careful),)

    return divide


def forgetful(original: Call) -> Call:
    """A journal is read from its first record each time, and nothing told is remembered."""

    async def follow(hearer: Any, name: str, ear: Any) -> None:
        ear.position = ""
        ear.finals.clear()
        await original(hearer, name, ear)

    return follow


def keeping(original: Call) -> Call:
    """What a worker was heard to have done counts for ever."""

    def settle(progress: Any, worker: str, finals: Any, bad: Any) -> None:
        original(progress, worker, {*finals, *progress._live.get(worker, ())}, bad)

    return settle


def sure(_: Call) -> Call:
    """Whoever is asked for is called dead."""

    async def ask(_observer: Any, _birth: Any) -> Remains:
        return Remains()

    return ask
