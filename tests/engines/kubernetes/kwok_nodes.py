"""Nodes that kwok pretends: they cost nothing, and so do the pods on them, which succeed at once unless told otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.engines.errors import EngineTrouble
from tests.engines.kubernetes.api import until
from tests.engines.kubernetes.cluster import Kubernetes

MARK = "kwok.x-k8s.io/node"


@contextmanager
def kwok_nodes(engine: Kubernetes, count: int, *, cpu: str = "32", pods: int = 110) -> Iterator[tuple[str, ...]]:
    """Names of that many nodes, ready, with the label `type: kwok` and the taint of MARK, which pods must tolerate."""
    names = tuple(f"kwok-{number}" for number in range(1, count + 1))
    room = {"cpu": cpu, "memory": "256Gi", "pods": str(pods)}
    try:
        for name in names:
            body = {
                "metadata": {
                    "name": name,
                    "annotations": {MARK: "fake"},
                    "labels": {"type": "kwok", "kubernetes.io/hostname": name},
                },
                "spec": {"taints": [{"key": MARK, "value": "fake", "effect": "NoSchedule"}]},
                "status": {"allocatable": room, "capacity": room},
            }
            engine.api.create("/api/v1/nodes", body)
        if not until(lambda: all(_is_ready(engine, name) for name in names), 30 + count / 20):
            raise EngineTrouble("kwok's nodes are not ready", f"its log: {engine.kwok.log}")
        yield names
    finally:
        for name in names:
            engine.api.delete(f"/api/v1/nodes/{name}")


def _is_ready(engine: Kubernetes, name: str) -> bool:
    told = engine.api.get(f"/api/v1/nodes/{name}")["status"].get("conditions", ())
    return any(found["type"] == "Ready" and found["status"] == "True" for found in told)
