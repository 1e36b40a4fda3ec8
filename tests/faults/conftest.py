"""Fixtures: a project for each test, for each launcher there is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docker.house import docker_project, make_environment
from tests.engines import only_outside
from tests.faults.project import Project, until

DOCKER = pytest.param("docker", marks=pytest.mark.timeout(240))
"""Images are made, containers start and leases pass: all of it slowly on a busy machine."""
LAUNCHERS = ("local", DOCKER)
"""Those that every test runs with; a test may ask for one of them by indirect parameters."""


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
    root.mkdir()
    made = Project(root, launcher=request.param)
    yield made
    try:
        until(lambda: not made.left(), made.left, 15)
    finally:
        made.clear()
