"""What happens to pods in a cluster: evicted, deleted, preempted, and what happens to rights. Each is asked of the real API."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.engines.kubernetes.api import until
from tests.engines.kubernetes.bodies import SMALL, pod, pod_spec
from tests.engines.kubernetes.namespaces import RBAC, Cluster

CLASSES = "/apis/scheduling.k8s.io/v1/priorityclasses"
SPOT = {"key": "tests/spot-notice", "effect": "NoSchedule"}


def evict(cluster: Cluster, name: str) -> None:
    """By the Eviction API, as drains do; nothing happens when the pod is gone."""
    where = cluster.path("pods", name)
    if cluster.api.find(where):
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
        cluster.api.create(f"{where}/eviction", body)


def delete(cluster: Cluster, name: str) -> None:
    """As `kubectl delete pod` does, with its time to end well."""
    cluster.api.delete(cluster.path("pods", name))


def force_delete(cluster: Cluster, name: str) -> None:
    """As `kubectl delete pod --force --grace-period=0`: the object is gone at once, its containers perhaps not."""
    cluster.api.delete(cluster.path("pods", name), gracePeriodSeconds=0)


@contextmanager
def priority(cluster: Cluster, value: int = 1000) -> Iterator[str]:
    """The name of a priority class above all others' pods; it preempts pods of every namespace."""
    name = f"{cluster.namespace}-high"
    cluster.api.create(CLASSES, {"metadata": {"name": name}, "value": value, "globalDefault": False})
    try:
        yield name
    finally:
        cluster.api.delete(f"{CLASSES}/{name}")


def preemptor(name: str, image: str, node: str, cpu: str, priority_class: str) -> dict[str, Any]:
    """A pod that wants so much of that node, and goes before others."""
    spec = pod_spec(
        image,
        ("sleep", "600"),
        nodeSelector={"kubernetes.io/hostname": node},
        priorityClassName=priority_class,
        terminationGracePeriodSeconds=0,
    )
    spec["containers"][0]["resources"] = {"requests": {**SMALL, "cpu": cpu}, "limits": {"cpu": cpu, "memory": "64Mi"}}
    return pod(name, spec)


@contextmanager
def spot_notice(cluster: Cluster, node: str) -> Iterator[None]:
    """What a cloud does before it takes a machine away: no new pods, and the test's own are evicted."""
    where = f"/api/v1/nodes/{node}"
    before = cluster.api.get(where)["spec"].get("taints", [])
    cluster.api.merge(where, {"spec": {"taints": [*before, SPOT]}})
    try:
        for found in cluster.api.get(cluster.path("pods"))["items"]:
            if found["spec"].get("nodeName") == node:
                evict(cluster, found["metadata"]["name"])
        yield
    finally:
        left = [taint for taint in cluster.api.get(where)["spec"].get("taints", []) if taint["key"] != SPOT["key"]]
        cluster.api.merge(where, {"spec": {"taints": left or None}})


@contextmanager
def without_rights(cluster: Cluster) -> Iterator[None]:
    """All RoleBindings of the namespace are gone, and come back; a server notices within moments."""
    where = f"{RBAC}/namespaces/{cluster.namespace}/rolebindings"
    bindings = cluster.api.get(where)["items"]
    for found in bindings:
        cluster.api.delete(f"{where}/{found['metadata']['name']}")
    try:
        yield
    finally:
        for found in bindings:
            fresh = {"metadata": {"name": found["metadata"]["name"]}, "roleRef": found["roleRef"]}
            cluster.api.create(where, {**fresh, "subjects": found.get("subjects", [])})


def gone(cluster: Cluster, name: str, seconds: float) -> bool:
    """Whether the pod's object has gone in time."""
    return until(lambda: cluster.api.find(cluster.path("pods", name)) is None, seconds)
