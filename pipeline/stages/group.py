"""`group`: estimate, cut into batches, assign to buckets, freeze the plan.

Leaves `build/group/plan.json` (schema in docs/plan.md) and `build/group/test-group-<n>`, a test id a line in order. Runs whenever
`launch` must, because the history that decides the estimates has grown since.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import UntrustworthyRun
from pipeline.graph.catalog import Catalog
from pipeline.graph.task import Action, Handle, TaskSpec
from pipeline.stages import collect, join
from pipeline.stages.agent import Agent

if TYPE_CHECKING:  # What plans is imported where it is used: a `doit` with nothing to do never plans.
    from pipeline.model.plans import Plan
    from pipeline.model.tests import Test

DOC = "cut the tests into batches and buckets, one bucket for each worker"


def register(catalog: Catalog, agent: Agent, collected: Handle, *, resume: str = "") -> Handle:
    """Add the task, after `collect`. `resume` names a run to go on with."""
    action = Action(group, {"agent": agent, "resume": resume})
    return catalog.add(
        "group", lambda: TaskSpec(name="group", actions=(action,), needs=(collected,), always=True), doc=DOC
    )


def folder(agent: Agent) -> Path:
    """Where this stage leaves its files."""
    return agent.build / "group"


def group(agent: Agent, resume: str) -> dict[str, Any]:
    """Make and write the plan. Raises `UntrustworthyRun` when there is nothing to plan and that was not asked for.

    Where workers run images, an unfinished run keeps its plan: images of another one could not go on with it.
    """
    if join.is_over(agent):
        return {}
    plan = agent.wait(_unfinished(agent, resume)) if agent.runs_images() else None
    plan = plan or _new_plan(agent)
    write(plan, folder(agent))
    return {"plan": plan.digest, "tests": len(plan.tests), "batches": len(plan.batches)}


async def _unfinished(agent: Agent, resume: str) -> Plan | None:
    from pipeline.protocol import resuming

    store, clock = agent.store(), agent.clock()
    run = resume or await resuming.find_unfinished(store, clock, agent.inputs().identity)
    return await resuming.adopt_run(store, clock, run) if run else None


def _new_plan(agent: Agent) -> Plan:
    found = collect.read(agent)
    wishes = agent.wishes()
    tests = [test for one in found.values() for test in one.tests]
    if not tests and not wishes.allow_empty:
        deselected = sum(one.deselected for one in found.values())
        raise UntrustworthyRun(
            "no tests were found" + (f" ({deselected} deselected)" if deselected else ""),
            hint="check the suites' paths and selection; `run.allow_empty = true` says that this is meant",
        )
    if agent.workforce.grounds is not None:
        from pipeline.stages.placing import tied

        tests = list(tied(tests, agent.workforce.grounds))
    affinity = {name: one.affinity for name, one in found.items()}
    fail_fast = wishes.fail_fast or least_maxfail(one.facts for one in found.values())
    return _plan(_estimated(agent, tests), agent, affinity, fail_fast)


def _estimated(agent: Agent, tests: Sequence[Test]) -> Sequence[Test]:
    from pipeline.logic.estimating import estimate
    from pipeline.logic.lanes import in_lanes

    return in_lanes(estimate(tests, agent.known_seconds(tests)), agent.wishes().limits)


def least_maxfail(facts: Iterable[Mapping[str, Any]]) -> int:
    """After how many bad verdicts the frameworks' own options stop a run; 0: never. The strictest suite decides."""
    return min((int(one["maxfail"]) for one in facts if one.get("maxfail")), default=0)


def _plan(tests: Sequence[Test], agent: Agent, affinity: dict[str, dict[str, int]], fail_fast: int) -> Plan:
    from pipeline.logic.planning import freeze
    from pipeline.logic.pooling import batches_of_pools, buckets_of_pools, multiplied

    wishes, pools = agent.wishes(), agent.pools()
    if agent.workforce.grounds is not None:
        from pipeline.stages.placing import plan_of

        return plan_of(tests, agent.workforce.grounds, wishes, fail_fast)
    if agent.joins.joined is not None:
        pools = multiplied(pools, agent.joins.joined.jobs)
    batches = batches_of_pools(tests, pools, seed=wishes.seed, claim_seconds=wishes.claim_seconds, affinity=affinity)
    buckets = buckets_of_pools(tests, batches, pools, affinity=affinity)
    return freeze(tests, batches, buckets, seed=wishes.seed, fail_fast=fail_fast)


def write(plan: Plan, into: Path) -> None:
    """Write plan.json and the group files, and nothing else that was there before."""
    from pipeline.logic.group_files import group_files
    from pipeline.logic.plan_codec import json_chunks

    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(parents=True)
    with (into / "plan.json").open("wb") as file:
        file.writelines(json_chunks(plan))
    for name, text in group_files(plan).items():
        (into / name).write_text(text, encoding="utf-8", errors="surrogateescape")


def read(agent: Agent) -> Plan:
    """The plan that `group` left. Raises `UntrustworthyRun` when it cannot be read."""
    from pipeline.logic.plan_reading import from_json

    path = folder(agent) / "plan.json"
    try:
        return from_json(path.read_bytes())
    except OSError as error:
        raise UntrustworthyRun(f"cannot read {str(path)!r}: {error}", hint="make it again with `doit group`") from error
