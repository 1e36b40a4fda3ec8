"""`sweep` removes what dead runs have left where workers live, and nothing of a run that begins meanwhile."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Callable, Collection, Coroutine, Sequence
from pathlib import Path
from typing import Any, cast

import pytest
from attrs import define, field

from pipeline.adapters.clock import SystemClock
from pipeline.model.swept import Swept
from pipeline.protocol.limits import Limits
from pipeline.stages import sweep as stage
from pipeline.stages.agent import Agent
from pipeline.stages.sweep import sweep
from tests.fakes.memory_store import MemoryStore
from tests.faults.project import Project


@define
class Sweeping:
    """An agent on a store in memory. What lives elsewhere is a list of run names."""

    elsewhere: list[str]
    before_alive: Callable[[MemoryStore], Coroutine[Any, Any, Any]] | None = None
    """What others do once containers were listed."""
    kept: MemoryStore = field(factory=MemoryStore)

    def store(self) -> MemoryStore:
        """The store."""
        return self.kept

    def clock(self) -> SystemClock:
        """A clock."""
        return SystemClock()

    def limits(self) -> Limits:
        """Short ones."""
        return Limits(lease_seconds=0.05)

    def wait(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Do it."""
        return asyncio.run(work)

    def runs_images(self) -> bool:
        """No registry."""
        return False

    def sweep_scratch(self) -> Sequence[str]:
        """Nothing."""
        return []

    def sweep_elsewhere(self, alive: Callable[[], Collection[str]], dead: Collection[str]) -> Swept:
        """Remove what is not alive."""
        if self.before_alive is not None:
            asyncio.run(self.before_alive(self.kept))
        gone = [name for name in self.elsewhere if name not in alive()]
        self.elsewhere = [name for name in self.elsewhere if name not in gone]
        return Swept(removed=tuple(gone))


def swept(agent: Sweeping) -> list[str]:
    """What is left elsewhere."""
    sweep(cast("Agent", agent), cast("Any", None), json=False, all=False)
    return agent.elsewhere


def test_a_run_that_began_meanwhile_is_left_alone() -> None:
    """Judging takes up to a lease; the run of a container that stands by then is asked for afterwards."""
    agent = Sweeping(["new"], lambda store: store.create("runs/new/plan", b"{}"))

    assert swept(agent) == ["new"]


def test_what_closed_abandoned_and_deleted_runs_left_goes() -> None:
    """Neither has anybody who needs it."""
    agent = Sweeping(["closed", "abandoned", "deleted"])
    for key in ("closed/plan", "closed/closed", "abandoned/plan"):
        asyncio.run(agent.kept.create(f"runs/{key}", b"{}"))

    assert swept(agent) == []


def test_an_open_run_with_verdicts_is_spared_while_somebody_goes_on_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it has left goes, but not what those have who came to it after it was judged."""

    async def verdicts(agent: Agent, run: str) -> dict[str, int]:
        return {"done": 1, "tests": 2}

    monkeypatch.setattr(stage, "_verdicts", verdicts)
    agent = Sweeping(["stopped", "gone-on"], lambda store: store.replace("runs/gone-on/signs/new", b"here"))
    for run in ("stopped", "gone-on"):
        asyncio.run(agent.kept.create(f"runs/{run}/plan", b"{}"))

    assert swept(agent) == ["gone-on"]
    assert asyncio.run(agent.kept.read("runs/stopped/plan")) == b"{}"


def test_what_a_stopped_run_has_cost_is_not_thrown_away(tmp_path: Path) -> None:
    """The same command goes on with it after a sweep, and repeats nothing; asked for all, sweep removes it."""
    root = tmp_path / "project"
    root.mkdir()
    project = Project(root=root, arguments=("workers.count=2", "workers.lease_seconds=2s"))
    project.sleepers(files=2, count=12, seconds=0.2)
    stopped = project.start()
    stopped.until_begun(6)
    stopped.signal(signal.SIGINT)
    assert stopped.end() == 130, stopped.output
    begun = project.traces()

    kept = project.start("sweep", "--json")
    assert kept.end() == 0, kept.output
    told = json.loads(kept.output)
    (run,) = told["open"]
    assert told["runs"] == {}
    assert told["open"][run]["tests"] == 24
    text = project.start("sweep")
    assert text.end() == 0, text.output
    assert (
        f"kept run {run}: {told['open'][run]['done']} of 24 tests done; the same command goes on with it" in text.output
    )

    again = project.start()
    again.until_begun(len(begun) + 4)
    again.signal(signal.SIGINT)
    assert again.end() == 130, again.output
    assert f"run {run!r} stays open" in again.output
    gone = project.start("sweep", "--all")
    assert gone.end() == 0, gone.output
    assert f"removed run {run} (" in gone.output
    assert len(project.traces()) <= 24 and project.left() == []
