"""`resume`: see that the run that a person named can be gone on with, before anything is collected; else say which can.

`doit resume=<run>` does this first. Without a name there is no such task: resume is the same command again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipeline.errors import UsageError
from pipeline.graph.catalog import Catalog
from pipeline.graph.task import Action, Handle, TaskSpec
from pipeline.stages import join
from pipeline.stages.agent import Agent

if TYPE_CHECKING:
    from pipeline.protocol.sweeping import StoredRun

DOC = "see that the run named by resume=<run> can be gone on with"
NAMED = 5
"""So many differences or other runs are named."""


def register(catalog: Catalog, agent: Agent, name: str) -> Handle:
    """Add the task; where no run is named, there is none."""
    return catalog.add(
        "resume",
        lambda: TaskSpec(name="resume", actions=(Action(resume, {"agent": agent, "run": name}),), always=True),
        doc=DOC,
        exists=lambda: bool(name),
    )


def resume(agent: Agent, run: str) -> None:
    """Raise `UsageError` when there is no such run, it is closed, or it is of other inputs than this checkout's."""
    if agent.joins.joined is not None and agent.joins.joined.run != run:
        raise UsageError(
            f"this job joins run {agent.joins.joined.run!r} and cannot go on with {run!r}",
            hint="leave out resume=…: who joins a run goes on with it",
        )
    agent.wait(_check(agent, run))


async def _check(agent: Agent, run: str) -> None:
    from pipeline.protocol import keys  # Here, because most commands go on with nothing.
    from pipeline.protocol.certain import CertainStore
    from pipeline.protocol.joining import read_closed

    store, clock = agent.store(), agent.clock()
    if not await CertainStore(store, clock).list(keys.plan(run)):
        raise UsageError(f"there is no run {run!r} in this store", hint=await _alternatives(agent))
    closed = await read_closed(store, clock, run)
    if closed is not None:
        raise UsageError(
            f"run {run!r} is closed, with exit code {closed.exit_code} ({closed.reason}): nothing is left to go on with",
            hint=f"`doit report {run}` writes its reports; {await _alternatives(agent)}",
        )
    different = await _differences(agent, run)
    if different:
        raise UsageError(
            f"run {run!r} is of other inputs than this checkout: {different}",
            hint=f"check out what it was begun with; {await _alternatives(agent)}",
        )


async def _differences(agent: Agent, run: str) -> str:
    """What is otherwise here than in the run, for people; empty: nothing."""
    from pipeline.protocol.joining import read_announced

    standing = await read_announced(agent.store(), agent.clock(), run)
    if standing is None:
        return "" if is_about(run, agent.inputs().identity) else "it has another identity"
    differences = list(join.differences_of(agent.joins.inputs, standing))
    more = f", and {len(differences) - NAMED} more" if len(differences) > NAMED else ""
    return "; ".join(differences[:NAMED]) + more


def is_about(run: str, identity: str) -> bool:
    """Whether a run's name says that it is of these inputs."""
    return run.rpartition("-")[0] == identity


async def _alternatives(agent: Agent) -> str:
    from pipeline.protocol.sweeping import list_runs

    stored = await list_runs(agent.store(), agent.clock())
    return as_text([run for run in stored if run.has_plan and not run.is_closed], agent.inputs().identity)


def as_text(unfinished: Sequence[StoredRun], identity: str) -> str:
    """Which runs can be gone on with."""
    own = [run.name for run in unfinished if is_about(run.name, identity)]
    others = [run.name for run in unfinished if run.name not in own]
    parts = [
        f"unfinished of these inputs: {', '.join(own[-NAMED:])}" if own else "none of these inputs is unfinished",
        *([f"of other inputs: {', '.join(others[-NAMED:])}"] if others else []),
    ]
    return f"{'; '.join(parts)}; `doit` alone goes on with these inputs' latest run, or begins one"
