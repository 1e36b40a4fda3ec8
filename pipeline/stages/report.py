"""`report`: the reports of any run that the store still holds, wherever it ran; without a name, which runs there are.

A run that ended here has left its own copy, which is named; of others JUnit, CTRF and HTML are written from the store.
"""

from __future__ import annotations

import json as codec
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import UsageError, typed
from pipeline.graph.catalog import Catalog
from pipeline.graph.task import Action, Handle, TaskSpec
from pipeline.stages.agent import Agent
from pipeline.stages.doctor import JSON

if TYPE_CHECKING:
    from pipeline.model.runs import MergedRun

DOC = "write the reports of runs again, or say which runs there are"


Find = Callable[[str], Sequence[Path]]
"""A run's own copies of its reports, if it ended here."""
Write = Callable[["MergedRun"], Sequence[Path]]
"""Writes those reports of a run that need no events; their paths. Raises `EngineError`."""


def register(catalog: Catalog, agent: Agent, find: Find, write: Write) -> Handle:
    """Add the task; its positional arguments are names of runs."""
    action = Action(report, {"agent": agent, "find": find, "write": write})
    return catalog.add(
        "report",
        lambda: TaskSpec(name="report", actions=(action,), params=(JSON,), positional="runs", always=True),
        doc=DOC,
    )


def report(agent: Agent, find: Find, write: Write, json: bool, runs: Sequence[str] | None) -> None:
    """Print where the reports of each run are. Raises `UsageError` for one that the store does not hold."""
    if not runs:
        found = agent.wait(_stored(agent))
        print(codec.dumps(found, indent=2) if json else as_text(found))
        return
    written = {run: [str(path) for path in find(run) or write(_merged(agent, run))] for run in runs}
    if json:
        print(codec.dumps(written, indent=2))
        return
    for run, paths in written.items():
        print("\n".join([f"{run}:", *(f"  {path}" for path in paths)]))


def _merged(agent: Agent, run: str) -> MergedRun:
    from pipeline.protocol import resuming

    known = [one["run"] for one in agent.wait(_stored(agent))]
    if run not in known:
        raise UsageError(f"there is no run {run!r} in this store", hint=f"there are {', '.join(known) or 'none'}")
    return agent.wait(resuming.merged(agent.store(), agent.clock(), run))


async def _stored(agent: Agent) -> list[dict[str, Any]]:
    """What the store holds, by name."""
    from pipeline.protocol.joining import read_closed
    from pipeline.protocol.sweeping import list_runs

    store, clock = agent.store(), agent.clock()
    found: list[dict[str, Any]] = []
    for run in await list_runs(store, clock):
        if run.has_plan:
            closed = await read_closed(store, clock, run.name) if run.is_closed else None
            told = {"exit_code": closed.exit_code, "counts": closed.counts, "seconds": closed.seconds} if closed else {}
            found.append({"run": run.name, "closed": run.is_closed, **told})
    return found


def as_text(found: Sequence[dict[str, Any]]) -> str:
    """A line for each run."""
    return "\n".join(_line(one) for one in found) or "the store holds no runs"


def _line(one: dict[str, Any]) -> str:
    if not one["closed"]:
        return typed(f"{one['run']}  unfinished: `doit resume={one['run']}` goes on with it")
    counts = ", ".join(f"{count} {verdict}" for verdict, count in one["counts"].items() if count)
    return f"{one['run']}  exit code {one['exit_code']}: {counts} in {one['seconds']:.1f} s"
