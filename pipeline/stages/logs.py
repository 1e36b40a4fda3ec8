"""`logs`: what a worker of the latest run has written, wherever it lived: its log in the project's folder, or in the store.

Leaves `build/outputs/<worker>/logs/…` for workers elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from glob import glob
from pathlib import Path

from pipeline.errors import UsageError
from pipeline.graph.catalog import Catalog
from pipeline.graph.task import Action, Handle, TaskSpec
from pipeline.stages.agent import Agent

DOC = "print the logs of a worker of the latest run"


def register(catalog: Catalog, agent: Agent, inert: Callable[[str], str]) -> Handle:
    """Add the task; its positional arguments are worker names. `inert` makes hostile text safe to print."""
    action = Action(logs, {"agent": agent, "inert": inert})
    return catalog.add(
        "logs", lambda: TaskSpec(name="logs", actions=(action,), positional="workers", always=True), doc=DOC
    )


def logs(agent: Agent, inert: Callable[[str], str], workers: Sequence[str] | None) -> None:
    """Print the logs of each worker named. Raises `UsageError` when there is no such worker, or none of its logs is left."""
    from pipeline.protocol import resuming
    from pipeline.stages import launch

    run = agent.wait(resuming.merged(agent.store(), agent.clock(), launch.read(agent)))
    known = {span.worker: span.log for span in run.workers}
    if not workers:
        raise UsageError(
            "logs needs the name of a worker", hint=f"workers of the latest run: {', '.join(sorted(known))}"
        )
    for worker in workers:
        if worker not in known:
            raise UsageError(f"the latest run has no worker {worker!r} (it had {', '.join(sorted(known))})")
        found = files_of(agent, run.run, worker, known[worker])
        if not found:
            raise UsageError(
                f"no log of worker {worker!r} is left", hint="a worker that is killed cannot send its logs"
            )
        for path in found:
            print(f"==> {path} <==", flush=True)
            print(inert(path.read_text("utf-8", "replace")), flush=True)


def is_ours(agent: Agent, path: Path) -> bool:
    """Whether a file is one that workers here write: a birth is written by its worker, and may name any file."""
    return agent.root.resolve() in path.resolve().parents


def files_of(agent: Agent, run: str, worker: str, pattern: str) -> list[Path]:
    """A worker's logs: here as its birth says, or brought home from the store."""
    here = [path for each in sorted(glob(pattern)) if (path := Path(each)).suffix == ".log" and is_ours(agent, path)]
    if here:
        return here
    brought = agent.bring_home(run, worker)
    return sorted(path for folder in brought if folder.name == "logs" for path in folder.rglob("*") if path.is_file())
