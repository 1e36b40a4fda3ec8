"""`sweep`: remove what aborted runs left: processes, run folders, files. Says what it removed, or what not and why.

Verdicts that cost somebody time stay unless a person asks for all: what is left of an open run goes, the run itself does not.
"""

from __future__ import annotations

import json as codec
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from attrs import define, field

from pipeline.errors import FleetError, StoreDamaged, UntrustworthyRun, typed
from pipeline.graph.catalog import Catalog
from pipeline.graph.task import Action, Handle, Param, TaskSpec
from pipeline.stages.agent import Agent
from pipeline.stages.doctor import JSON
from pipeline.stages.imaging import MakeImaging

if TYPE_CHECKING:
    from pipeline.model.swept import Swept
    from pipeline.protocol.sweeping import StoredRun

DOC = "remove what aborted runs left: processes, files, open runs that have no verdict"
ALL = Param(
    name="all", default=False, type=bool, help="closed runs too, and open ones that the same command would go on with"
)
TOGETHER = 8
"""So many runs are judged at once: each may take a lease."""


def register(catalog: Catalog, agent: Agent, imaging: MakeImaging) -> Handle:
    """Add the task."""
    action = Action(sweep, {"agent": agent, "imaging": imaging})
    return catalog.add(
        "sweep", lambda: TaskSpec(name="sweep", actions=(action,), params=(JSON, ALL), always=True), doc=DOC
    )


def sweep(agent: Agent, imaging: MakeImaging, json: bool, all: bool) -> None:  # Named as the option is.
    """Sweep and print. Raises `UntrustworthyRun` when something had to stay."""
    found = agent.wait(_sweep(agent, closed_too=all))
    told: dict[str, Any] = {"runs": found.removed, "open": found.open, "kept": found.kept}
    elsewhere = _sweep_elsewhere(agent, found)
    told["elsewhere"], told["stays"] = elsewhere.removed, dict(elsewhere.kept)
    told["images"] = _sweep_images(agent, imaging, told["stays"])
    told["files"] = agent.sweep_scratch()
    print(codec.dumps(told, indent=2) if json else as_text(told))
    if told["kept"] or told["stays"]:
        raise UntrustworthyRun("something had to stay", hint="see the lines above")


@define
class Found:
    """What became of each run."""

    removed: dict[str, int] = field(factory=dict)
    """How many keys that were."""
    open: dict[str, dict[str, int]] = field(factory=dict)
    """`done` and `tests` of runs that stay for the same command to go on with."""
    kept: dict[str, str] = field(factory=dict)
    """Why they had to stay."""
    dead: set[str] = field(factory=set)
    """Whatever they have left may go."""
    life: dict[str, Mapping[str, str]] = field(factory=dict)
    """What open ones showed of life when they were judged."""


def _sweep_elsewhere(agent: Agent, found: Found) -> Swept:
    """What dead runs have left where workers live; a place that does not answer is named among what had to stay."""
    from pipeline.model.swept import Swept

    try:
        return agent.sweep_elsewhere(lambda: agent.wait(_alive(agent, found)), found.dead)
    except FleetError as error:
        return Swept(kept={"what runs left where workers live": str(error)})


async def _alive(agent: Agent, found: Found) -> frozenset[str]:
    """Asked for when what lives elsewhere is known: a run may have begun since runs were judged, or been gone on with."""
    from pipeline.protocol.sweeping import life_of, list_runs

    store, clock = agent.store(), agent.clock()
    names = {run.name for run in await list_runs(store, clock)}
    again = [run for run in sorted(names & found.open.keys()) if await life_of(store, clock, run) != found.life[run]]
    return frozenset(names - found.dead | {*again})


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


async def _sweep(agent: Agent, *, closed_too: bool) -> Found:
    import asyncio

    from pipeline.protocol.sweeping import list_runs

    found, at_once = Found(), asyncio.Semaphore(TOGETHER)

    async def judge(run: StoredRun) -> None:
        async with at_once:
            try:
                await _judge(agent, run, found, closed_too=closed_too)
            except FleetError as error:
                found.kept[run.name] = str(error)

    await asyncio.gather(*(judge(run) for run in await list_runs(agent.store(), agent.clock())))
    return found


async def _judge(agent: Agent, run: StoredRun, found: Found, *, closed_too: bool) -> None:
    """Remove it, or what may stay. Raises `UsageError` while somebody works on it."""
    from pipeline.protocol.sweeping import check_silent, delete_run, life_of

    store, clock, lease = agent.store(), agent.clock(), agent.limits().lease_seconds
    if not closed_too and run.has_plan:
        verdicts = None if run.is_closed else await _verdicts(agent, run.name)
        if verdicts is not None:
            life = await life_of(store, clock, run.name)
            await check_silent(store, clock, run.name, lease)
            found.open[run.name], found.life[run.name] = verdicts, life
        if run.is_closed or verdicts is not None:
            found.dead.add(run.name)
            return
    lease_of_open = None if run.is_closed else lease
    found.removed[run.name] = await delete_run(store, clock, run.name, abandoned_lease_seconds=lease_of_open)
    found.dead.add(run.name)


async def _verdicts(agent: Agent, run: str) -> dict[str, int] | None:
    """How many tests of an open run are done; None: none, or nobody can go on with it."""
    from pipeline.protocol import resuming

    try:
        merged = await resuming.merged(agent.store(), agent.clock(), run)
    except StoreDamaged:
        return None
    done = len(merged.outcomes)
    return {"done": done, "tests": done + len(merged.missing)} if done else None


def as_text(told: dict[str, Any]) -> str:
    """A line for each thing."""
    lines = [f"removed run {run} ({count} keys)" for run, count in told["runs"].items()]
    lines += [f"removed {name}" for name in told["elsewhere"]]
    lines += [f"removed images {name}" for name in told["images"]]
    lines += [f"removed {path}" for path in told["files"]]
    lines += [
        f"kept run {run}: {has['done']} of {has['tests']} tests done; the same command goes on with it; `doit sweep --all` removes it"
        for run, has in told["open"].items()
    ]
    lines += [f"KEPT run {run}: {why}" for run, why in told["kept"].items()]
    lines += [f"KEPT {what}: {why}" for what, why in told["stays"].items()]
    return typed("\n".join(lines)) or "nothing to remove"
