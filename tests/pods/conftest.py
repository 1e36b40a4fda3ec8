"""Fixtures: the test's namespace as its agent sees it, who has the shipped role and no other right."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pipeline.adapters.kubernetes_client import KubernetesClient
from tests.engines.kubernetes.namespaces import Cluster
from tests.kubernetes.conftest import project, small_environment
from tests.kubernetes.house import agent_of

__all__ = ["project", "small_environment"]


@pytest.fixture
def agent(cluster: Cluster) -> Iterator[KubernetesClient]:
    """The connection of an agent."""
    client = KubernetesClient(str(agent_of(cluster)))
    yield client
    client.close()
