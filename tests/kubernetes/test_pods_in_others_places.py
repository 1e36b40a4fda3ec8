"""Pods that the cluster takes away: their Jobs make others in their places, which the same run goes on with."""

from __future__ import annotations

import pytest

from tests.engines.kubernetes import disruptions
from tests.faults.checks import assert_sound
from tests.faults.project import until
from tests.kubernetes.house import KubernetesProject, Pod
from tests.kubernetes.test_agents_come_and_go import jobs

pytestmark = pytest.mark.timeout(300)  # Pods of a busy machine take long over everything.


def some(project: KubernetesProject) -> int:
    """Long tests, so that the run is still there when a pod has come."""
    project.arguments = ("workers.count=2", "workers.lease_seconds=30s")
    return project.sleepers(files=5, count=4, seconds=1)


def slot_of(pod: Pod, project: KubernetesProject) -> str:
    """`w<slot>` of the pod's worker, by the place that its birth tells."""
    name = pod["metadata"]["name"]
    (event,) = [each for each in project.events("WorkerStarted") if name in str(each["place"])]
    return str(event["worker"]).partition("-")[0]


def test_a_living_agent_does_not_wait_for_the_jobs_own_pod(project: KubernetesProject) -> None:
    """It makes another Job, and the old one is gone: the controller would wait for ten seconds, and longer each time."""
    tests = some(project)
    running = project.start()
    running.until_begun(tests // 3)
    before = set(jobs(project))
    victim = project.running()[0]
    disruptions.evict(project.cluster, victim["metadata"]["name"])
    until(lambda: set(jobs(project)) - before, "another Job takes its place")
    assert running.end(150) == 0, running.output

    assert_sound(project, tests, repeats=1)
    assert project.events("WorkerLost") == []


def test_the_jobs_own_pod_takes_the_place_of_one_that_was_evicted(project: KubernetesProject) -> None:
    """Of an Indexed Job. No Job is made anew; the pod is born with the name that its leader waits for, so nobody is taken for unborn."""
    tests = some(project)
    running = project.start("images.mode=shared")
    running.until_begun(tests // 3)
    before = set(jobs(project))
    victim = project.running()[0]
    slot = slot_of(victim, project)
    disruptions.evict(project.cluster, victim["metadata"]["name"])
    name = victim["metadata"]["name"]
    until(
        lambda: len({pod["metadata"]["name"] for pod in project.running()} - {name}) > 1, "another pod takes its place"
    )
    assert set(jobs(project)) == before
    assert running.end(150) == 0, running.output

    assert_sound(project, tests, repeats=1)
    # On a busy machine all may be done before the new pod's worker is born.
    assert {event["worker"] for event in project.events("WorkerStarted")} <= {"w0-1", "w1-1", f"{slot}-2"}
    assert project.events("WorkerLost") == []


def test_an_agent_that_was_away_takes_over_pods_in_others_places(project: KubernetesProject) -> None:
    """The Job's controller replaces pods while no agent lives."""
    tests = some(project)
    first = project.start("workers.count=1")
    first.until_begun(tests // 4)
    first.signal(9)
    first.end()
    (victim,) = project.running()
    disruptions.evict(project.cluster, victim["metadata"]["name"])
    name = victim["metadata"]["name"]
    until(lambda: {pod["metadata"]["name"] for pod in project.running()} - {name}, "another pod takes its place", 120)

    second = project.start("workers.count=1")
    assert second.end(150) == 0, second.output
    assert_sound(project, tests, repeats=1)
    assert len(project.seen) == 2


def test_after_too_many_preemptions_pods_are_where_nobody_takes_them_away(project: KubernetesProject) -> None:
    """By the setting `kubernetes.after_preemptions`, in a Job of its own."""
    safe = project.cluster.nodes[-1]
    tests = some(project)
    project.kubernetes = {"after_preemptions": {"count": 1, "node_selector": {"kubernetes.io/hostname": safe}}}
    running = project.start("workers.count=1")
    running.until_begun(tests // 4)
    (before,) = jobs(project)
    (victim,) = project.running()
    disruptions.evict(project.cluster, victim["metadata"]["name"])

    def elsewhere() -> list[str]:
        found = [pod for pod in project.pods() if pod["spec"].get("nodeSelector")]
        return [pod["spec"].get("nodeName", "") for pod in found]

    until(lambda: elsewhere() or running.process.poll() is not None, "a pod is made with the other selector")
    assert elsewhere(), running.output
    assert before not in jobs(project)
    until(lambda: elsewhere() == [safe] or not elsewhere(), "it has its node")
    assert running.end(150) == 0, running.output
    assert_sound(project, tests, repeats=2)
