"""`sweep` removes what dead runs have left where workers live, and nothing of a run that begins meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Sequence
from typing import Any, cast

from attrs import define, field

from pipeline.adapters.clock import SystemClock
from pipeline.model.swept import Swept
from pipeline.protocol.limits import Limits
from pipeline.stages.agent import Agent
from pipeline.stages.sweep import sweep
from tests.fakes.memory_store import MemoryStore


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
