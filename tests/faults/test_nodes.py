"""Nodes are lost in each way that there is, and pods with them: on a cluster of the test process's own."""

from __future__ import annotations

import pytest

from tests.engines.kubernetes import disruptions
from tests.engines.kubernetes.api import until as came_true
from tests.engines.kubernetes.node import Node
from tests.faults.checks import assert_never_twice, assert_sound, causes, ticks
from tests.faults.conftest import OWN_CLUSTER
from tests.faults.project import until
from tests.faults.test_exclusive import EXCLUSIVE, until_held
from tests.faults.test_pods import UNFLUSHED
from tests.kubernetes.house import KubernetesProject, Pod

pytestmark = pytest.mark.parametrize("project", [OWN_CLUSTER], indirect=True)
NOTICED_SECONDS = 60
"""Until the cluster has noticed that a node is there again."""


def node_of(project: KubernetesProject, pod: Pod) -> Node:
    """Where it runs."""
    return project.cluster.engine.nodes[pod["spec"]["nodeName"]]


def test_a_node_that_crashes_and_never_comes_back_is_no_failure(project: KubernetesProject) -> None:
    """Kubelet, containerd and shims are killed: its pod goes on without them, or its work is taken over."""
    tests = project.busy()
    running = project.start()
    running.until_begun(tests // 4)
    node = node_of(project, project.running()[0])
    node.kill()

    assert running.end(150) == 0, running.output
    assert_sound(project, tests, repeats=1 + UNFLUSHED)
    node.start()  # Only so that what it still runs can end.


def test_a_node_that_comes_back_after_its_work_was_taken_over_changes_nothing(project: KubernetesProject) -> None:
    """It loses power, another does its work, and it is there again before the end: nothing counts twice."""
    project.busy()
    tests = project.sleepers(files=8, count=6, seconds=1)
    running = project.start()
    running.until_begun(4)
    node = node_of(project, project.running()[0])
    node.lose_power()
    until(lambda: project.events("WorkerLost"), "the loss is noticed", 60)
    node.start()

    assert running.end(150) == 0, running.output
    assert_sound(project, tests, repeats=project.workers * (1 + 1))


@pytest.mark.parametrize("cut", ["cut_off", "cut_off_from_api"])
def test_an_exclusive_test_never_runs_twice_although_its_pod_was_deleted_by_force(
    project: KubernetesProject, cut: str
) -> None:
    """Its node is cut off and the object is gone, but it still runs: no successor before its permission has surely expired."""
    project.busy()
    tests = project.sleepers(files=2, count=3, seconds=0.1)
    for number in range(2, 8):
        (project.root / f"test_f{number}.py").unlink()
    project.write("test_exclusive.py", EXCLUSIVE)
    running = project.start()
    _, _, host = until_held(project, 1)
    (pod,) = [pod for pod in project.running() if pod["metadata"]["name"] == host]
    node = node_of(project, pod)
    getattr(node, cut)()
    disruptions.force_delete(project.cluster, host)

    assert running.end(150) == 0, running.output
    assert_never_twice(project)
    runs = len({run for run, *_ in ticks(project)})
    assert (
        2 <= runs <= 4
    )  # A pod that reaches the store finishes what it holds; another may begin the second before it ends.
    assert set(project.verdicts().values()) == {"passed"}
    assert len(project.verdicts()) == tests + 2
    node.mend()
    assert came_true(lambda: all(project.cluster.engine.are_ready().values()), NOTICED_SECONDS)


def test_preemption_and_a_spot_notice_are_no_failures(project: KubernetesProject) -> None:
    """A pod of a higher class takes the room of one; then the other's node is tainted and it is evicted."""
    project.busy()
    tests = project.sleepers(files=8, count=6, seconds=0.5)
    running = project.start("kubernetes.cpu_request=0.6")
    running.until_begun(tests // 6)
    first = project.running()[0]
    with disruptions.priority(project.cluster) as name:
        body = disruptions.preemptor("first", project.base, first["spec"]["nodeName"], "1600m", name)
        project.cluster.api.create(project.cluster.path("pods"), body)
        until(lambda: "preempted" in causes(project), lambda: f"a preemption, not {causes(project)}", 60)
        project.cluster.api.delete(project.cluster.path("pods", "first"))
    begun = len(project.traces())
    running.until_begun(begun + 4)
    with disruptions.spot_notice(project.cluster, project.running()[0]["spec"]["nodeName"]):
        assert running.end(150) == 0, running.output
    assert_sound(project, tests, repeats=2 * project.workers)
    assert set(causes(project)) == {"preempted", "evicted"}
