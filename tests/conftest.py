"""Fixtures for all tests: the engines. Imported by name, so that a test may be collected in any way."""

from __future__ import annotations

from tests.engines.fixtures import (
    base_image,
    docker_engine,
    fault_proxy,
    own_docker,
    own_registry,
    own_s3,
    redis_image,
    registry,
    s3,
    secure_registry,
    token_registry,
)
from tests.engines.kubernetes.fixtures import _own_kubernetes, cluster, own_cluster

__all__ = [
    "_own_kubernetes",
    "base_image",
    "cluster",
    "docker_engine",
    "fault_proxy",
    "own_cluster",
    "own_docker",
    "own_registry",
    "own_s3",
    "redis_image",
    "registry",
    "s3",
    "secure_registry",
    "token_registry",
]
