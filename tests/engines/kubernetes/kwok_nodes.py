"""Nodes that kwok pretends: they cost nothing, and so do the pods on them, which succeed at once unless told otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from attrs import field, frozen

from tests.engines.errors import EngineTrouble
from tests.engines.kubernetes.api import until
from tests.engines.kubernetes.cluster import Kubernetes

MARK = "kwok.x-k8s.io/node"


@frozen(kw_only=True)
class KwokNode:
    """What one such node is to be."""

    name: str
    cpu: str = "32"
    memory: str = "256Gi"
    pods: int = 110
    labels: Mapping[str, str] = field(factory=dict)
    taints: tuple[Mapping[str, Any], ...] = ()
    """Beside that of MARK."""
    cordoned: bool = False


@contextmanager
def kwok_nodes(engine: Kubernetes, count: int, *, cpu: str = "32", pods: int = 110) -> Iterator[tuple[str, ...]]:
    """Names of that many nodes, ready, with the label `type: kwok` and the taint of MARK, which pods must tolerate."""
    wanted = [KwokNode(name=f"kwok-{number}", cpu=cpu, pods=pods) for number in range(1, count + 1)]
    with these_kwok_nodes(engine, *wanted) as names:
        yield names


@contextmanager
def these_kwok_nodes(engine: Kubernetes, *nodes: KwokNode) -> Iterator[tuple[str, ...]]:
    """The same, for nodes that differ; their names are the test's to choose, so that no other test's are the same."""
    names = tuple(node.name for node in nodes)
    try:
        for node in nodes:
            engine.api.create("/api/v1/nodes", _body(node))
        if not until(lambda: all(_is_ready(engine, name) for name in names), 30 + len(names) / 20):
            raise EngineTrouble("kwok's nodes are not ready", f"its log: {engine.kwok.log}")
        yield names
    finally:
        for name in names:
            engine.api.delete(f"/api/v1/nodes/{name}")


def _body(node: KwokNode) -> dict[str, Any]:
    room = {"cpu": node.cpu, "memory": node.memory, "pods": str(node.pods)}
    taints = [{"key": MARK, "value": "fake", "effect": "NoSchedule"}, *node.taints]
    return {
        "metadata": {
            "name": node.name,
            "annotations": {MARK: "fake"},
            "labels": {"type": "kwok", "kubernetes.io/hostname": node.name, **node.labels},
        },
        "spec": {"taints": taints, **({"unschedulable": True} if node.cordoned else {})},
        "status": {"allocatable": room, "capacity": room},
    }


def _is_ready(engine: Kubernetes, name: str) -> bool:
    """Whether it says so, and the cluster has taken the taint off that it had before."""
    told = engine.api.get(f"/api/v1/nodes/{name}")
    if any(each["key"] == "node.kubernetes.io/not-ready" for each in told["spec"].get("taints", ())):
        return False
    conditions = told["status"].get("conditions", ())
    return any(found["type"] == "Ready" and found["status"] == "True" for found in conditions)
