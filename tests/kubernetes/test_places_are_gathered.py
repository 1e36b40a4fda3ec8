"""What became of pods is in the reports: where each worker was, how it came to its first test, why it was taken away."""

from __future__ import annotations

import json
import re
from typing import Any
from xml.etree import ElementTree

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


MIXED = """\
import sys, pytest

def test_passes():
    print("said")

def test_fails():
    print("said before")
    sys.stderr.write("and there")
    assert {"a": 1} == {"a": 2}

@pytest.mark.skip(reason="not now")
def test_skipped(): pass

@pytest.mark.xfail(reason="known")
def test_expected(): assert False

@pytest.fixture
def broken(): raise RuntimeError("no set-up")

def test_error(broken): pass

@pytest.mark.parametrize("n", range(3))
def test_each(n): pass
"""


def junit(project: KubernetesProject) -> list[str]:
    """The report, without what may differ: who ran a test where in which attempt, and when it took how long."""
    tree = ElementTree.parse(project.root / "build" / "reports" / "junit.xml")
    for element in tree.iter():
        for name in ("time", "timestamp", "hostname"):
            element.attrib.pop(name, None)
        for own in element.findall("property"):
            if own.get("name") in ("worker", "attempt", "host"):
                element.remove(own)
    return ElementTree.tostring(tree.getroot(), encoding="unicode").replace(str(project.root), "").splitlines()


def test_junit_is_that_of_local_workers(project: KubernetesProject) -> None:
    """But for worker, attempt and times."""
    project.write("test_mixed.py", MIXED)

    inside = project.start()
    assert inside.end(240) == 1, inside.output
    found = junit(project)
    project.launcher = "local"
    local = project.start("-a")
    assert local.end(120) == 1, local.output

    assert found == junit(project)


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
