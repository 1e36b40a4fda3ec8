"""A queue decides when workers start: their Jobs are made suspended, which is no fault, and whoever keeps the queue resumes them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults.project import until
from tests.kubernetes.house import KubernetesProject

QUEUE = "kueue.x-k8s.io/queue-name"


@pytest.mark.timeout(300)
@pytest.mark.parametrize("mode", ["per-worker", "shared"])
def test_a_run_waits_for_its_queue(project: KubernetesProject, mode: str) -> None:
    """As long as that takes; then it is a run like any other. Kueue is no more than this test: it sets `suspend` to false."""
    project.sleepers(files=2, count=2, seconds=0.1)
    project.kubernetes = {"queue": "team-a"}
    cluster, path = project.cluster, project.cluster.path("jobs", group="batch/v1")

    def jobs() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = cluster.api.get(path)["items"]
        return found

    running = project.start(f"images.mode={mode}")
    until(lambda: sum(job["spec"]["completions"] for job in jobs()) == 2, "both workers are queued")
    until(lambda: "queue 'team-a' lets it start" in running.output, lambda: running.output)
    assert all(job["spec"]["suspend"] for job in jobs())
    assert {job["metadata"]["labels"][QUEUE] for job in jobs()} == {"team-a"}
    assert project.pods() == []

    for job in jobs():
        cluster.api.merge(f"{path}/{job['metadata']['name']}", {"spec": {"suspend": False}})

    assert running.end() == 0, running.output
    assert set(project.verdicts().values()) == {"passed"}
    assert project.left() == []
