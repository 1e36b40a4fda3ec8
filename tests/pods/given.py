"""Terms with everything set, and hirings, for tests of manifests."""

from __future__ import annotations

from typing import Any

from pipeline.launchers.kubernetes.terms import PodTerms
from pipeline.model.images import Places
from pipeline.model.services import Service
from pipeline.ports.places import Hiring

PLACES = Places()
IMAGE = "registry.acme.net/ci/shop@sha256:" + 64 * "0"
READY = ("redis-cli", "ping")


def plain_terms(**more: Any) -> PodTerms:
    """What no setting adds to."""
    return PodTerms(project="shop", pool="default", store="s3://bucket/fleet", store_label="0123456789abcdef", **more)


def rich_terms(**more: Any) -> PodTerms:
    """Every setting used, as a cluster may have it that has nothing of ours yet."""
    node = {"matchExpressions": [{"key": "kubernetes.io/os", "operator": "In", "values": ["linux"]}]}
    settings: dict[str, Any] = {
        "user": "65532:0",
        "labels": {"team": "shop"},
        "annotations": {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"},
        "cpus": 0.5,
        "cpu_request": 0.1,
        "memory_bytes": 256 * 2**20,
        "memory_request_bytes": 128 * 2**20,
        "storage_bytes": 2**30,
        "node_selector": {"kubernetes.io/os": "linux"},
        "tolerations": ({"key": "spot", "operator": "Exists", "effect": "NoSchedule"},),
        "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [node]}}},
        "topology_spread": (
            {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway"},
        ),
        "service_account": "default",
        "pull_secrets": ("registry",),
        "environment": {"LANG": "C.UTF-8"},
        "secret_environment": {"DB_PASSWORD": ("db", "password")},
        "volumes": (
            {"name": "data", "mountPath": "/data", "configMap": {"name": "data"}, "readOnly": True},
            {"mountPath": "/cache", "emptyDir": {"sizeLimit": "1Gi"}},
        ),
        "services": (
            Service(name="redis", image=IMAGE, command=("redis-server",), environment={"A": "b"}, ready=READY),
            Service(name="Mail", image=IMAGE, user="1000:1000", cpus=0.2, memory_bytes=64 * 2**20),
        ),
        "store": "file:///shared/fleet",
        "store_claim": "shared/fleet",
        "store_secret": "s3",
        "template": {"spec": {"shareProcessNamespace": True, "containers": [{"name": "worker", "tty": True}]}},
        "env": {"unit": {"DB_PASSWORD": "swordfish"}},
        "store_env": {"AWS_SECRET_ACCESS_KEY": "tunafish"},
        **more,
    }
    return PodTerms(project="shop", pool="big", store_label="0123456789abcdef", **settings)


def hiring(slot: int = 0, **more: Any) -> Hiring:
    """One worker that is to live in a pod."""
    told: dict[str, Any] = {"run": "a1b2c3d4-1", "term": 1, "worker": f"w{slot}-1", "nonce": 32 * "e", "slot": slot}
    return Hiring(**{**told, **more})
