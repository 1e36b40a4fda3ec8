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

__all__ = [
    "base_image",
    "docker_engine",
    "fault_proxy",
    "own_docker",
    "own_registry",
    "own_s3",
    "redis_image",
    "registry",
    "s3",
    "secure_registry",
    "token_registry",
]
