"""Fixtures: a small environment, and a project for each test whose workers are containers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docker.house import DockerProject, make_environment
from tests.engines.fixtures import DockerEngine, RegistryAddress


@pytest.fixture(scope="session")
def small_environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with pytest."""
    return make_environment(tmp_path_factory.mktemp("environment") / "venv")


@pytest.fixture
def project(
    tmp_path: Path,
    docker_engine: DockerEngine,
    registry: RegistryAddress,
    base_image: str,
    small_environment: Path,
) -> Iterator[DockerProject]:
    """A project of its own; no container of it may be left afterwards."""
    root = tmp_path / "project"
    root.mkdir()
    made = DockerProject(
        root,
        launcher="docker",
        host=docker_engine.host,
        client=docker_engine.client,
        registry=registry.address,
        base=base_image,
        python=small_environment,
    )
    made.arguments = ("workers.count=2",)
    try:
        yield made
        left = [one.name for one in [*made.containers(), *made.containers(services=True)]]
    finally:
        made.clear()
    assert left == []
