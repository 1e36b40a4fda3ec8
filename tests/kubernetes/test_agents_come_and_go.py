"""Agents are stopped by signals or killed while their pods live: pods go on, the same command takes them over, nothing is left."""

from __future__ import annotations

import signal

import pytest

from tests.faults.checks import assert_sound
from tests.faults.project import until
from tests.kubernetes.house import KubernetesProject

pytestmark = pytest.mark.timeout(300)  # Pods of a busy machine take long over everything.


def jobs(project: KubernetesProject) -> dict[str, int]:
    """Names of the namespace's Jobs, with how many pods each has that have not ended."""
    found = project.cluster.api.get(project.cluster.path("jobs", group="batch/v1"))["items"]
    return {job["metadata"]["name"]: job["status"].get("active", 0) for job in found}


@pytest.fixture
def tests(project: KubernetesProject) -> int:
    """32 tests of 0.4 s on 2 workers."""
    project.busy()
    return project.sleepers(files=8, count=4, seconds=0.4)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_one_signal_stops_kindly_and_the_same_command_goes_on(
    project: KubernetesProject, tests: int, number: int, code: int
) -> None:
    """Pods are gone when the agent ends, each with its own tombstone; the rest runs next time."""
    first = project.start("images.mode=shared")
    first.until_begun(tests // 3)
    first.signal(number)
    assert first.end(45) == code, first.output
    assert project.left() == []
    before = len(project.traces())

    second = project.start("images.mode=shared")
    assert second.end() == 0, second.output
    assert before < tests
    assert_sound(project, tests, repeats=project.workers)
    assert project.events("WorkerLost") == []


@pytest.mark.parametrize("mode", ["per-worker", "shared"])
def test_pods_of_a_killed_agent_are_taken_over(project: KubernetesProject, tests: int, mode: str) -> None:
    """The same command hears them: no Job is made anew, nothing runs twice, and it clears away what it has not made."""
    first = project.start(f"images.mode={mode}")
    first.until_begun(tests // 4)
    first.signal(signal.SIGKILL)
    assert first.end() == 137
    before = jobs(project)

    second = project.start(f"images.mode={mode}")
    second.until_begun(tests // 2)
    assert set(jobs(project)) <= set(before)
    assert second.end() == 0, second.output
    assert_sound(project, tests, repeats=0)


def test_jobs_that_had_no_pods_when_their_agent_died_are_used(project: KubernetesProject, tests: int) -> None:
    """Room comes later: the next agent waits for the same Jobs, so no slot gets two workers."""
    quota = project.cluster.path("resourcequotas", "quota")
    project.cluster.api.merge(quota, {"spec": {"hard": {"pods": "0"}}})
    first = project.start()
    until(lambda: len(jobs(project)) == 2, lambda: f"two Jobs are made\n{first.output}")
    first.signal(signal.SIGKILL)
    first.end()
    before = set(jobs(project))

    second = project.start()
    until(lambda: "batches on 2 workers" in second.output, "the second agent leads")
    project.cluster.api.merge(quota, {"spec": {"hard": {"pods": "50"}}})
    second.until_begun(tests // 3)
    assert set(jobs(project)) == before
    assert second.end() == 0, second.output
    assert_sound(project, tests, repeats=0)
    assert {str(event["worker"]).partition("-")[0] for event in project.events("WorkerStarted")} == {"w0", "w1"}
