"""What became of pods is in the reports: where each worker was, how it came to its first test, why it was taken away."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from pipeline.model.runs import STAGES
from tests.engines.kubernetes import disruptions
from tests.kubernetes.house import KubernetesProject

pytestmark = pytest.mark.timeout(300)


def trace(project: KubernetesProject) -> list[dict[str, Any]]:
    """Events of the trace."""
    text = (project.root / "build" / "reports" / "trace.json").read_text("utf-8")
    found: list[dict[str, Any]] = json.loads(text)["traceEvents"]
    return found


def page(project: KubernetesProject) -> str:
    """The page."""
    return (project.root / "build" / "reports" / "index.html").read_text("utf-8")


def test_an_evicted_worker_is_told_with_its_way_and_its_cost(project: KubernetesProject) -> None:
    """It is no loss and fails nothing; its successor does the rest; page, trace and summary tell of it."""
    project.arguments = ("workers.count=2", "workers.max_losses=0")
    tests = project.sleepers(files=4, count=4, seconds=1.0)

    running = project.start()
    running.until_begun(2)
    disruptions.evict(project.cluster, project.running()[0]["metadata"]["name"])

    assert running.end(240) == 0, running.output
    assert len(project.verdicts()) == tests and set(project.verdicts().values()) == {"passed"}
    assert re.search(r"worker w\d-1 was taken away, evicted: pod .* on node-\d was evicted, status 143", running.output)
    assert "1 evicted" in running.output and "lost worker" not in running.output, running.output
    events = trace(project)
    steps = [event for event in events if event.get("cat") == "place"]
    assert {event["name"] for event in steps} == set(STAGES)
    assert {event["args"]["node"] for event in steps} <= set(project.cluster.nodes)
    assert all(event["ts"] >= 0 and event["dur"] >= 0 for event in steps)
    assert [event["name"] for event in events if event["ph"] == "i"] == ["taken away: evicted"]
    assert "Places of 3 workers, 1 of them taken away" in page(project)
    assert project.left() == []


def test_a_budget_for_who_is_taken_away_leaves_the_run_open(project: KubernetesProject) -> None:
    """It says which budget, and by what it was spent; the same command goes on and ends it."""
    project.arguments = ("workers.count=1", "workers.max_losses=0")
    project.sleepers(files=3, count=2, seconds=1.0)

    running = project.start("workers.max_disruptions=0")
    running.until_begun(1)
    disruptions.evict(project.cluster, project.running()[0]["metadata"]["name"])

    assert running.end(240) == 2, running.output
    assert "budget spent: 1 worker was taken away (1 evicted), max_disruptions is 0" in running.output, running.output
    again = project.start()
    assert again.end(240) == 0, again.output
    assert set(project.verdicts().values()) == {"passed"}
    assert project.left() == []
