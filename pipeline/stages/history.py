"""`history`: say what is known of durations, and hand it to other tools. Prints nothing but its answer."""

from __future__ import annotations

import json as codec
from collections.abc import Callable
from pathlib import Path

from pipeline.graph.catalog import Catalog
from pipeline.graph.task import Action, Handle, Param, TaskSpec
from pipeline.stages.agent import Agent
from pipeline.stages.doctor import JSON

DOC = "say how long tests took so far; --export writes it for pytest-split"
EXPORT = Param(name="export", default="", help="write a .test_durations file of pytest-split there")
SHOWN = 10

Export = Callable[[Path], int]
"""Writes the file; how many tests are in it."""


def register(catalog: Catalog, agent: Agent, export: Export) -> Handle:
    """Add the task."""
    action = Action(history, {"agent": agent, "write": export})
    return catalog.add(
        "history",
        lambda: TaskSpec(name="history", actions=(action,), params=(JSON, EXPORT), always=True),
        doc=DOC,
    )


def history(agent: Agent, write: Export, json: bool, export: str) -> None:
    """Print the durations, or write them."""
    if export:
        print(f"{export}: {write(Path(export))} tests")
        return
    known: dict[str, float] = {}
    for suite in agent.suites():
        known.update(agent.history().estimates(suite.name, agent.branches()))
    print(codec.dumps(known, indent=2) if json else as_text(known))


def as_text(known: dict[str, float]) -> str:
    """A line for the whole and one for each of the slowest."""
    lines = [f"{len(known)} tests, {sum(known.values()):.1f} s in all"]
    slowest = sorted(known, key=lambda test: -known[test])[:SHOWN]
    return "\n".join([*lines, *(f"{known[test]:9.3f} s  {test!r}" for test in slowest)])
