"""`sweep`: remove what aborted runs left: processes, run folders, files. Says what it removed, or what not and why."""

from __future__ import annotations

import json as codec
from collections.abc import Set
from typing import TYPE_CHECKING, Any

from pipeline.errors import FleetError, UntrustworthyRun
from pipeline.graph.catalog import Catalog
from pipeline.graph.task import Action, Handle, Param, TaskSpec
from pipeline.stages.agent import Agent
from pipeline.stages.doctor import JSON
from pipeline.stages.imaging import MakeImaging

if TYPE_CHECKING:
    from pipeline.model.swept import Swept

DOC = "remove what aborted runs left: processes, files, open runs that nobody works on"
ALL = Param(name="all", default=False, type=bool, help="closed runs too, not only abandoned ones")


def register(catalog: Catalog, agent: Agent, imaging: MakeImaging) -> Handle:
    """Add the task."""
    action = Action(sweep, {"agent": agent, "imaging": imaging})
    return catalog.add(
        "sweep", lambda: TaskSpec(name="sweep", actions=(action,), params=(JSON, ALL), always=True), doc=DOC
    )


def sweep(agent: Agent, imaging: MakeImaging, json: bool, all: bool) -> None:  # Named as the option is.
    """Sweep and print. Raises `UntrustworthyRun` when something had to stay."""
    told = agent.wait(_sweep(agent, closed_too=all))
    elsewhere = _sweep_elsewhere(agent, told.pop("dead"))
    told["elsewhere"], told["stays"] = elsewhere.removed, dict(elsewhere.kept)
    told["images"] = _sweep_images(agent, imaging, told["stays"])
    told["files"] = agent.sweep_scratch()
    print(codec.dumps(told, indent=2) if json else as_text(told))
    if told["kept"] or told["stays"]:
        raise UntrustworthyRun("something had to stay", hint="see the lines above")


def _sweep_elsewhere(agent: Agent, dead: Set[str]) -> Swept:
    """What dead runs have left where workers live; a place that does not answer is named among what had to stay."""
    from pipeline.model.swept import Swept
    from pipeline.protocol.sweeping import list_runs

    def alive() -> frozenset[str]:
        # Asked for when what lives elsewhere is known: a run may have begun since runs were judged.
        return frozenset(run.name for run in agent.wait(list_runs(agent.store(), agent.clock()))) - dead

    try:
        return agent.sweep_elsewhere(alive, dead)
    except FleetError as error:
        return Swept(kept={"what runs left where workers live": str(error)})


def _sweep_images(agent: Agent, imaging: MakeImaging, stays: dict[str, str]) -> list[str]:
    """Images in the registry that no run needs any more."""
    if not agent.runs_images():
        return []
    from pipeline.stages.sweep_images import sweep_images

    try:
        removed, stayed = sweep_images(agent, imaging(), agent.wait(_open_plans(agent)))
    except FleetError as error:
        removed, stayed = [], {"images": str(error)}
    stays.update(stayed)
    return removed


async def _open_plans(agent: Agent) -> frozenset[str]:
    from pipeline.protocol.resuming import adopt_run
    from pipeline.protocol.sweeping import list_runs

    store, clock = agent.store(), agent.clock()
    runs = [run.name for run in await list_runs(store, clock) if run.has_plan and not run.is_closed]
    return frozenset([(await adopt_run(store, clock, run)).digest for run in runs])


async def _sweep(agent: Agent, *, closed_too: bool) -> dict[str, Any]:
    from pipeline.protocol.sweeping import delete_run, list_runs

    lease = agent.limits().lease_seconds
    removed: dict[str, int] = {}
    kept: dict[str, str] = {}
    dead: set[str] = set()
    for run in await list_runs(agent.store(), agent.clock()):
        if run.is_closed and run.has_plan and not closed_too:
            dead.add(run.name)
            continue
        try:
            removed[run.name] = await delete_run(
                agent.store(), agent.clock(), run.name, abandoned_lease_seconds=None if run.is_closed else lease
            )
            dead.add(run.name)
        except FleetError as error:
            kept[run.name] = str(error)
    return {"runs": removed, "kept": kept, "dead": dead}


def as_text(told: dict[str, Any]) -> str:
    """A line for each thing."""
    lines = [f"removed run {run} ({count} keys)" for run, count in told["runs"].items()]
    lines += [f"removed {name}" for name in told["elsewhere"]]
    lines += [f"removed images {name}" for name in told["images"]]
    lines += [f"removed {path}" for path in told["files"]]
    lines += [f"KEPT run {run}: {why}" for run, why in told["kept"].items()]
    lines += [f"KEPT {what}: {why}" for what, why in told["stays"].items()]
    return "\n".join(lines) or "nothing to remove"
