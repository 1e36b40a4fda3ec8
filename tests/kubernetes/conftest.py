"""Fixtures: a small environment, and a project for each test whose workers are pods."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines.kubernetes.namespaces import Cluster
from tests.kubernetes.house import KubernetesProject, kubernetes_project, make_environment


@pytest.fixture(scope="session")
def small_environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with pytest."""
    return make_environment(tmp_path_factory.mktemp("environment") / "venv")


@pytest.fixture
def project(
    request: pytest.FixtureRequest, tmp_path: Path, small_environment: Path, cluster: Cluster
) -> Iterator[KubernetesProject]:
    """A project of its own on the shared cluster; nothing of it may be left afterwards."""
    yield from kubernetes_project(request, tmp_path / "project", small_environment, cluster)
