"""Fixtures: a project for each test, for each launcher there is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docker.house import docker_project, make_environment
from tests.engines import only_outside
from tests.engines.kubernetes.namespaces import Cluster
from tests.faults.project import Project, until
from tests.kubernetes.house import kubernetes_project
from tests.ssh.house import ssh_project

DOCKER = pytest.param("docker", marks=pytest.mark.timeout(240))
"""Images are made, containers start and leases pass: all of it slowly on a busy machine."""
KUBERNETES = pytest.param("kubernetes", marks=pytest.mark.timeout(240))
"""On the shared cluster, nothing of which may be hurt."""
OWN_CLUSTER = pytest.param("own cluster", marks=pytest.mark.timeout(300))
"""On a cluster of the test process's own: its nodes and parts may be killed."""
SSH = pytest.param("ssh", marks=pytest.mark.timeout(120))
"""On two SSH servers of the test's own."""
LAUNCHERS = ("local", DOCKER, KUBERNETES, SSH)
"""Those that every test runs with; a test may ask for one of them by indirect parameters."""


CLUSTERS = {"kubernetes": "cluster", "own cluster": "own_cluster"}


@pytest.fixture(scope="session")
def small_environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with pytest, for images."""
    return make_environment(tmp_path_factory.mktemp("environment") / "venv")


@pytest.fixture(params=LAUNCHERS)
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Project]:
    """A project of its own; nothing of it may be left afterwards."""
    root = tmp_path / "project"
    if request.param == "docker":
        only_outside("faults are made to processes of other containers, which only the machine sees")
        yield from docker_project(request, root, request.getfixturevalue("small_environment"))
        return
    if request.param in CLUSTERS:
        cluster: Cluster = request.getfixturevalue(CLUSTERS[request.param])
        environment = request.getfixturevalue("small_environment")
        yield from kubernetes_project(request, root, environment, cluster)
        return
    if request.param == "ssh":
        yield from ssh_project(root)
        return
    root.mkdir()
    made = Project(root, launcher=request.param)
    yield made
    try:
        until(lambda: not made.left(), made.left, 15)
    finally:
        made.clear()
