"""`workers.count = "auto"` in a cluster: as many workers as fit, told with the reason, and more when room appears."""

from __future__ import annotations

import json

import pytest

from tests.engines.kubernetes.api import until
from tests.engines.kubernetes.namespaces import Cluster
from tests.kubernetes.house import KubernetesProject

pytestmark = pytest.mark.timeout(300)
CAPACITY = {"rules": [{"apiGroups": [""], "resources": ["nodes", "pods"], "verbs": ["list"]}]}
RBAC = "/apis/rbac.authorization.k8s.io/v1"


def set_quota(cluster: Cluster, pods: int) -> None:
    """How many pods there may be."""
    path = cluster.path("resourcequotas", "quota")
    cluster.api.merge(path, {"spec": {"hard": {"pods": str(pods)}}})
    assert until(lambda: cluster.api.get(path)["status"]["hard"].get("pods") == str(pods), 30)


def test_more_workers_start_when_room_appears(project: KubernetesProject) -> None:
    """Without the right to see nodes the quota decides; it is said why, and who joins later does work."""
    project.arguments = ()
    set_quota(project.cluster, 1)
    project.sleepers(files=30, count=4, seconds=1.0)

    running = project.start()
    running.until_begun(3)
    assert len(project.running()) == 1
    set_quota(project.cluster, 3)
    assert running.end(240) == 0, running.output

    notices = [str(event["text"]) for event in project.events("Notice")]
    (why,) = [text for text in notices if text.startswith("workers of pool 'default'")]
    assert "1 of cpu 0.1, memory 384Mi fit now by the quotas alone" in why
    assert "quota 'quota' leaves no more pods" in why and "cannot list resource" in why and "ClusterRole" in why
    assert "room for 2 more workers of pool 'default': 3 in all" in notices
    started = {str(event["worker"]) for event in project.events("WorkerStarted")}
    finished = [str(event["worker"]) for event in project.events("TestFinished")]
    assert len(set(finished)) > 1 and set(finished) <= started  # A busy machine may start the third too late.
    assert len(finished) == 120


def test_plan_says_where_the_number_came_from(project: KubernetesProject) -> None:
    """With the right to see nodes; nothing is started."""
    project.arguments = ()
    cluster = project.cluster
    name = f"capacity-{cluster.namespace}"
    who = {"kind": "ServiceAccount", "name": "doit-fleet", "namespace": cluster.namespace}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}
    cluster.api.create(f"{RBAC}/clusterroles", {"metadata": {"name": name}, **CAPACITY})
    binding = {"metadata": {"name": name}, "roleRef": role, "subjects": [who]}
    cluster.api.create(f"{RBAC}/clusterrolebindings", binding)
    try:
        set_quota(cluster, 2)
        project.sleepers(files=2, count=2, seconds=0.0)
        running = project.start("plan", "--json")
        assert running.end() == 0, running.output
        told = json.loads(running.output[running.output.index("{") :])
        assert told["workers"] == 2
        (pool,) = told["pools"]
        assert pool["why"].startswith("2 of cpu 0.1, memory 384Mi fit now on ")
        assert pool["why"].endswith("quota 'quota' leaves no more pods")
        set_quota(cluster, 0)
        running = project.start("plan")
        assert running.end() == 0, running.output
        assert "none of cpu 0.1, memory 384Mi fits now; quota 'quota' leaves no more pods; one waits" in running.output
        assert project.pods() == []
    finally:
        cluster.api.delete(f"{RBAC}/clusterrolebindings/{name}")
        cluster.api.delete(f"{RBAC}/clusterroles/{name}")
