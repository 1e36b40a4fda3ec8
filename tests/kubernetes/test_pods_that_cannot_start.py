"""Pods that wait are explained while they wait; a run ends early when none can ever start, and goes on when some can."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.kubernetes.house import KubernetesProject

pytestmark = pytest.mark.timeout(300)

EARLY_SECONDS = 90.0
"""From the command to its end, images included; a wait for a birth would take ten minutes."""

BIG = """\
def configure(fleet):
    fleet.pools.add("big", big)
    fleet.suites.add("other", lambda suite: (suite.paths.set(["other"]), suite.pool.set("big")))

def big(pool):
    pool.count.set(1)
    pool.kubernetes.node_selector.set({"no": "such"})
"""


def events(project: KubernetesProject, kind: str) -> list[dict[str, Any]]:
    """What was told of that kind."""
    text = (project.root / "build" / "reports" / "events.jsonl").read_text("utf-8")
    return [told for told in map(json.loads, text.splitlines()) if told["event"] == kind]


def test_a_run_none_of_whose_workers_can_start_ends_early(project: KubernetesProject) -> None:
    """It stays open, and says why in the cluster's words and what to do; nothing is left in the cluster."""
    project.sleepers(files=2, count=2, seconds=0.1)
    project.kubernetes = {"secret_environment": {"TOKEN": "absent/token"}}
    begun = time.monotonic()

    running = project.start()

    assert running.end(240) == 2, running.output
    assert time.monotonic() - begun < EARLY_SECONDS
    assert 'secret "absent" not found' in running.output, running.output
    assert "stays open" in running.output and "change the setting or the cluster" in running.output
    assert project.left() == []


def test_what_cannot_start_does_not_stop_what_can(project: KubernetesProject) -> None:
    """A pool that fits no node leaves its own tests undone, and those of others are done before the run ends."""
    project.sleepers(files=2, count=2, seconds=0.1)
    project.write("other/test_other.py", "def test_other(): pass\n")
    project.write("dodo.py", BIG)
    project.suite = {"paths": ["test_f0.py", "test_f1.py"]}

    running = project.start()

    assert running.end(150) == 2, running.output
    assert "didn't match Pod's node affinity/selector" in running.output, running.output
    assert "4 of 5 tests done" in running.output, running.output
    assert project.left() == []


def test_who_waits_for_room_is_told_and_waited_for(project: KubernetesProject) -> None:
    """A quota with room for one pod: the other worker's wait is explained, is no loss, and all tests pass."""
    project.sleepers(files=4, count=2, seconds=0.5)
    quota = project.cluster.path("resourcequotas", "quota")
    project.cluster.api.merge(quota, {"spec": {"hard": {"pods": "1"}}})

    running = project.start("workers.count=2")

    assert running.end(240) == 0, running.output
    assert "has no room for it now" in running.output, running.output
    assert set(project.verdicts().values()) == {"passed"}
    assert "lost worker" not in running.output
    reasons = [told["reason"] for told in events(project, "WorkerWaiting")]
    assert "quota" in reasons and set(reasons) <= {"quota", "volume", "pulling", ""}
    assert project.left() == []
