"""Which verdicts of earlier runs still stand in a run that begins, and how that is told.

A part of `launch`. Only suites that say what their tests are made of have a basis: those of commands.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pipeline.errors import FleetError, StoreDamaged, StoreUnavailable
from pipeline.stages.agent import Agent

if TYPE_CHECKING:
    from pipeline.logic.bases import Basis
    from pipeline.model.plans import Plan
    from pipeline.model.verdicts import Result
    from pipeline.protocol.finishing import Ending

MOST_RUNS = 20
"""So many earlier runs are looked at, the newest first."""
MakeBasis = Callable[[], "Basis | None"]
"""What this run's verdicts rest on; None: nothing is taken over."""


async def take_over(agent: Agent, run: str, plan: Plan, make: MakeBasis) -> None:
    """Take over what stands into a run that nobody works on yet. Says so, and why that is sound."""
    basis = make()
    if basis is None:
        return
    from pipeline.model.events import VerdictsTaken
    from pipeline.protocol import taking_over
    from pipeline.protocol.mandate import new_nonce

    store, clock = agent.store(), agent.clock()
    if not await taking_over.may_take_over(store, clock, run):
        return
    await taking_over.write_basis(store, clock, run, basis)
    found, heads = await _found(agent, run, plan, basis)
    if not found:
        return
    taken = await taking_over.take_over(store, clock, run, plan, found, new_nonce())
    left = len(plan.tests)
    for source, head in heads.items():
        number = sum(found[at][1] == source for at in taken)
        left -= number
        if number:
            age = max(0.0, clock.wall() - head.wall)
            agent.emit(VerdictsTaken(run=run, source=source, tests=number, left=left, age_seconds=age))


async def _found(
    agent: Agent, run: str, plan: Plan, basis: Basis
) -> tuple[dict[int, tuple[Result, str]], dict[str, Basis]]:
    """What stands, by position in the plan with its run, and the runs; the newest come first. A run that cannot be read is left out."""
    from pipeline.protocol.taking_over import known_bases

    def skip(source: str, error: FleetError) -> None:
        _say(agent, f"nothing is taken over from run {source}: {error}")

    found: dict[int, tuple[Result, str]] = {}
    heads: dict[str, Basis] = {}
    obstacles: list[str] = []
    for source, head in await known_bases(agent.store(), agent.clock(), most=MOST_RUNS + 1, skip=skip):
        if source == run or len(found) == len(plan.tests):
            continue
        try:
            standing = await _standing(agent, plan, basis, (source, head), obstacles)
        except StoreUnavailable:
            raise
        except FleetError as error:
            skip(source, error)
            continue
        heads[source] = head
        found = {**{at: (result, source) for at, result in standing.items()}, **found}
    if obstacles and not found:
        _say(agent, obstacles[0])
    return found, heads


async def _standing(
    agent: Agent, plan: Plan, basis: Basis, source: tuple[str, Basis], obstacles: list[str]
) -> dict[int, Result]:
    from attrs import evolve

    from pipeline.logic.bases import differences, row_key, standing, told_differences
    from pipeline.protocol import resuming, taking_over

    store, clock, (name, head) = agent.store(), agent.clock(), source
    suites = [suite for suite in basis.suites if suite in head.suites]
    same = [suite for suite in suites if not differences(head, basis, suite)]
    if suites and not same:
        what = told_differences(differences(head, basis, suites[0]))
        obstacles.append(f"nothing is taken over from run {name}: different are: {what}")
    before = evolve(head, rows=await taking_over.read_rows(store, clock, name)) if same else head
    if not any(before.rows.get(key) == digest for key, digest in basis.rows.items()):
        return {}
    earlier = await resuming.adopt_run(store, clock, name)
    keys = {test.id: row_key(test) for test in earlier.tests}
    results = {keys[one.result.test]: one.result for one in await taking_over.checked(store, clock, name)}
    found = standing(before, basis, plan.tests, results)
    return {at: evolve(results[row_key(plan.tests[at])], test=plan.tests[at].id) for at in found}


def _say(agent: Agent, text: str, level: str = "info") -> None:
    from pipeline.model.events import Notice

    agent.emit(Notice(level=level, text=text))


async def leave(agent: Agent, run: str, ending: Ending, make: MakeBasis) -> None:
    """This agent ends: what its workers came to may be taken over, if the sources are what they were and it went by the run's basis."""
    basis = make()
    if basis is None or ending.merged.mixed:
        return
    from pipeline.protocol import taking_over

    store, clock = agent.store(), agent.clock()
    try:
        if await taking_over.rests_on(store, clock, run, basis):
            await taking_over.mark_checked(store, clock, run, ending.term, ending.merged.outcomes)
    except StoreDamaged as error:
        _say(agent, f"later runs take nothing over from run {run}: {error}", "warning")
