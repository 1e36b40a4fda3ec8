"""Which verdicts of earlier runs still stand in a run that begins, and how that is told.

A part of `launch`. Only suites that say what their tests are made of have a basis: those of commands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from pipeline.errors import StoreDamaged
from pipeline.stages.agent import Agent

if TYPE_CHECKING:
    from pipeline.logic.bases import Basis
    from pipeline.model.plans import Plan
    from pipeline.model.verdicts import Result

MOST_RUNS = 20
"""So many earlier runs are looked at, the newest first."""
MakeBasis = Callable[[], "Basis | None"]
"""What this run's verdicts rest on; None: nothing is taken over."""


async def take_over(agent: Agent, run: str, plan: Plan, make: MakeBasis) -> set[str]:
    """Take over what stands into a run that was just opened; ids of those tests. Says so, and why that is sound."""
    basis = make()
    if basis is None:
        return set()
    from pipeline.protocol import taking_over

    store, clock = agent.store(), agent.clock()
    await taking_over.write_basis(store, clock, run, basis)
    taken: set[int] = set()
    obstacles: list[str] = []
    try:
        for source, head in await taking_over.known_bases(store, clock, most=MOST_RUNS + 1):
            if source != run and len(taken) < len(plan.tests):
                taken |= await _from_one(agent, run, plan, basis, (source, head), taken, obstacles)
    except StoreDamaged as error:
        _say(agent, f"nothing more is taken over from earlier runs: {error}", "warning")
    if obstacles and not taken:
        _say(agent, obstacles[0])
    return {plan.tests[at].id for at in taken}


async def _from_one(
    agent: Agent,
    run: str,
    plan: Plan,
    basis: Basis,
    source: tuple[str, Basis],
    taken: set[int],
    obstacles: list[str],
) -> set[int]:
    from pipeline.logic.bases import differences, told_differences
    from pipeline.model.events import VerdictsTaken
    from pipeline.protocol import taking_over
    from pipeline.protocol.mandate import new_nonce

    store, clock, (name, head) = agent.store(), agent.clock(), source
    suites = [suite for suite in basis.suites if suite in head.suites]
    same = [suite for suite in suites if not differences(head, basis, suite)]
    if suites and not same:
        what = told_differences(differences(head, basis, suites[0]))
        obstacles.append(f"nothing is taken over from run {name}: different are: {what}")
    if not same:
        return set()
    results = await _standing(agent, plan, basis, source, taken)
    if results:
        await taking_over.take_over(store, clock, run, plan, name, results, new_nonce())
        left = len(plan.tests) - len(taken) - len(results)
        age = max(0.0, clock.wall() - head.wall)
        agent.emit(VerdictsTaken(run=run, source=name, tests=len(results), left=left, age_seconds=age))
    return set(results)


async def _standing(
    agent: Agent, plan: Plan, basis: Basis, source: tuple[str, Basis], taken: set[int]
) -> dict[int, Result]:
    from attrs import evolve

    from pipeline.logic.bases import row_key, standing
    from pipeline.protocol import resuming, taking_over

    store, clock, (name, head) = agent.store(), agent.clock(), source
    before = evolve(head, rows=await taking_over.read_rows(store, clock, name))
    if not any(before.rows.get(key) == digest for key, digest in basis.rows.items()):
        return {}
    earlier = await resuming.adopt_run(store, clock, name)
    merged = await resuming.merged(store, clock, name)
    if merged.mixed:
        return {}
    keys = {test.id: row_key(test) for test in earlier.tests}
    results = {keys[one.result.test]: one.result for one in merged.outcomes}
    if not await taking_over.is_closed(store, clock, name):
        checked = {keys[test] for test in await taking_over.read_checked(store, clock, name) if test in keys}
        results = {key: result for key, result in results.items() if key in checked}
    found = standing(before, basis, plan.tests, results) - taken
    return {at: evolve(results[row_key(plan.tests[at])], test=plan.tests[at].id) for at in found}


def _say(agent: Agent, text: str, level: str = "info") -> None:
    from pipeline.model.events import Notice

    agent.emit(Notice(level=level, text=text))


async def leave(agent: Agent, run: str, tests: Iterable[str], make: MakeBasis) -> None:
    """The run stays open: verdicts of these tests may be taken over if the sources are what they were."""
    if make() is not None and not agent.changed_inputs():
        from pipeline.protocol import taking_over

        await taking_over.mark_checked(agent.store(), run, tests)
