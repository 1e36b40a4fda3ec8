"""`connect`: begin to reach the machines that tests will run on, so that they are ready when it is known what runs where.

Waits for nothing: who does not come is named while the run goes on. Must not know what a connection is.
"""

from __future__ import annotations

from typing import Any

from pipeline.graph.catalog import Catalog
from pipeline.graph.task import Action, Handle, TaskSpec
from pipeline.stages.agent import Agent

DOC = "begin to reach the hosts that tests will run on"


def register(catalog: Catalog, agent: Agent) -> Handle:
    """Add the task; where workers live on this machine or are hired one by one, there is none."""
    return catalog.add(
        "connect",
        lambda: TaskSpec(name="connect", actions=(Action(connect, {"agent": agent}),), always=True),
        doc=DOC,
        exists=agent.workforce.has_hosts,
    )


def connect(agent: Agent) -> None:
    """Begin, in the background."""
    approach = getattr(agent.launcher(), "approach", None)
    if approach is not None and not agent.workforce.in_foreground:
        agent.wait(_on_the_loop(approach))


async def _on_the_loop(approach: Any) -> None:
    approach()
