"""`reproduce`: replay the sequence of tests that one worker ran, with plain pytest and nothing of ours.

Leaves `build/reproduce/<worker>-<suite>.ids`, the tests in the order in which the worker ran them.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from pipeline.errors import TestsFailed, UsageError
from pipeline.graph.catalog import Catalog
from pipeline.graph.task import Action, Handle, TaskSpec
from pipeline.model.runs import MergedRun, Outcome
from pipeline.model.suites import Suite
from pipeline.stages.agent import Agent

DOC = "replay what a worker of the latest run did, in its order, with the plain framework"


def register(catalog: Catalog, agent: Agent) -> Handle:
    """Add the task; its positional arguments are worker names."""
    action = Action(reproduce, {"agent": agent})
    return catalog.add(
        "reproduce", lambda: TaskSpec(name="reproduce", actions=(action,), positional="workers", always=True), doc=DOC
    )


def reproduce(agent: Agent, workers: Sequence[str] | None) -> None:
    """Print and run the sequence of each worker named. Raises `UsageError` when there is no such worker, `TestsFailed` as it ends."""
    from pipeline.protocol import resuming
    from pipeline.stages import launch

    run = agent.wait(resuming.merged(agent.store(), agent.clock(), launch.read(agent)))
    known = sorted({outcome.worker for outcome in run.outcomes})
    if not workers:
        raise UsageError("reproduce needs the name of a worker", hint=f"workers of the latest run: {', '.join(known)}")
    for worker in workers:
        if worker not in known:
            raise UsageError(f"the latest run has no worker {worker!r} (it had {', '.join(known)})")
        for suite, arguments in sequence(agent, run, worker):
            print(f"cd {shlex.quote(suite.root)} && {shlex.join(arguments)}", flush=True)
            status = agent.foreground(arguments, suite)
            if status:
                raise TestsFailed(f"what {worker} ran ended with status {status}")


def sequence(agent: Agent, run: MergedRun, worker: str) -> list[tuple[Suite, Sequence[str]]]:
    """The command for each suite that the worker ran, in its order."""
    own = sorted((one for one in run.outcomes if one.worker == worker), key=lambda one: one.result.started)
    folder = agent.build / "reproduce"
    folder.mkdir(parents=True, exist_ok=True)
    commands = []
    for suite in agent.suites():
        natives = [native for one in own if (native := _native(one, suite.name))]
        if natives:
            path = folder / f"{worker}-{suite.name}.ids"
            commands.append((suite, agent.framework(suite).replay(suite, natives, path)))
    return commands


def _native(outcome: Outcome, suite: str) -> str:
    name, _, native = outcome.result.test.partition("::")
    return native if name == suite else ""
