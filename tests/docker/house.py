"""A project whose workers are containers, and what the daemon knows of them."""

from __future__ import annotations

import json
import shutil
import sys
import venv
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field

from tests.faults.project import MARKER, Project, Running

PACKAGES = ("pytest", "pluggy", "iniconfig", "packaging", "pygments")
"""All that plain pytest needs: the smaller the environment, the sooner its image is there."""


def make_environment(folder: Path) -> Path:
    """A virtual environment with pytest and nothing else."""
    venv.create(folder, with_pip=False, symlinks=True)
    (site,) = folder.glob("lib/python*/site-packages")
    for name in PACKAGES:
        for file in distribution(name).files or ():
            source = Path(str(file.locate()))
            if ".." not in file.parts and "__pycache__" not in file.parts and source.is_file():
                target = site / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)
    return folder


@define
class DockerProject(Project):
    """A project with settings for the launcher `docker`."""

    host: str = ""
    client: Any = None
    registry: str = ""
    base: str = ""
    python: Path = Path(sys.prefix)
    suite: dict[str, Any] = field(factory=dict)
    """Further settings of its suite, `unit`."""

    def settle(self) -> None:
        """Write what does not change: settings, what git ignores, the place for traces that containers share."""
        self.shared.mkdir(exist_ok=True)
        self.shared.chmod(0o777)
        self.trace_file.touch()
        self.trace_file.chmod(0o666)
        suite = {"env": {"FLEET_TRACE": str(self.trace_file), MARKER: self.marker}, **self.suite}
        lines = [f"{name} = {_toml(value)}" for name, value in suite.items()]
        self.write("pyproject.toml", "[tool.doit-fleet.suites.unit]\n" + "\n".join(lines) + "\n")
        self.write(".gitignore", "build\n.fleet\n__pycache__\n")

    @property
    def shared(self) -> Path:
        """A folder that tests in containers may write."""
        return self.root.parent / "shared"

    @property
    def trace_file(self) -> Path:
        """Where tests leave their traces."""
        return self.shared / "trace"

    def environment(self) -> dict[str, str]:
        """What `doit-fleet` is started with."""
        return {**super().environment(), "VIRTUAL_ENV": str(self.python), "DOCKER_HOST": self.host}

    def start(self, *arguments: str, env: Any = None) -> Running:
        """Start `doit-fleet`."""
        self.settle()
        given = (
            f"project.name={self.marker}",
            f"registry.url={self.registry}/fleet-tests/docker",
            f"images.base={self.base}",
            "images.dependencies=environment",
            f"docker.mounts={self.shared}:{self.shared}",
        )
        return super().start(*given, *arguments, env=env)

    def containers(self, *, services: bool = False) -> list[Any]:
        """Containers of this project, ended ones too; of the workers, or of their services."""
        found = self.client.containers.list(all=True, filters={"label": f"doit-fleet.project={self.marker}"})
        return [one for one in found if ("doit-fleet.service" in one.labels) is services]

    def volumes(self) -> set[str]:
        """Names of all volumes that the daemon has."""
        return {one.name for one in self.client.volumes.list()}

    def clear(self) -> None:
        """Remove what a failed test has left."""
        for one in [*self.containers(), *self.containers(services=True)]:
            one.remove(force=True, v=True)


def docker_project(request: pytest.FixtureRequest, root: Path, environment: Path) -> Iterator[DockerProject]:
    """A project in `root` on the shared engines; no container of it may be left afterwards."""
    root.mkdir()
    engine, registry = request.getfixturevalue("docker_engine"), request.getfixturevalue("registry")
    made = DockerProject(
        root,
        launcher="docker",
        host=engine.host,
        client=engine.client,
        registry=registry.address,
        base=request.getfixturevalue("base_image"),
        python=environment,
    )
    made.arguments = ("workers.count=2",)
    try:
        yield made
        left = [one.name for one in [*made.containers(), *made.containers(services=True)]]
    finally:
        made.clear()
    assert left == []


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(name)} = {_toml(item)}" for name, item in value.items()) + "}"
    return json.dumps(value)
