"""A project whose workers are containers, and what the daemon knows of them."""

from __future__ import annotations

import json
import os
import shutil
import sys
import venv
from collections.abc import Iterator, Sequence
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import docker.errors
import pytest
from attrs import define, field

from tests.engines.toml import inline
from tests.faults.project import MARKER, Project, Running, children_of_all, until

PACKAGES = ("pytest", "pluggy", "iniconfig", "packaging", "pygments")
"""All that plain pytest needs: the smaller the environment, the sooner its image is there."""


def make_environment(folder: Path, packages: Sequence[str] = PACKAGES) -> Path:
    """A virtual environment with pytest and nothing else, or with these packages."""
    venv.create(folder, with_pip=False, symlinks=True)
    (site,) = folder.glob("lib/python*/site-packages")
    for name in packages:
        for file in distribution(name).files or ():
            source = Path(str(file.locate()))
            if ".." not in file.parts and "__pycache__" not in file.parts and source.is_file():
                target = site / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)
    return folder


GONE = docker.errors.APIError
"""The container has ended or was removed meanwhile."""


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
    workers: int = 2
    lease: str = "6s"
    repeats_without_agent: int = 0
    """Containers go on."""
    layers: Path | None = None
    """Layers of earlier projects, so that they are not made again for each."""
    mounted: tuple[Path, ...] = ()
    seen: set[str] = field(factory=set)
    """Volumes of all containers that were looked at."""

    def busy(self) -> int:
        """Fewer tests, each longer: two workers keep two processors busy."""
        super().busy()
        return self.sleepers(files=8, count=4, seconds=0.2)

    def reach(self, *folders: Path) -> None:
        """Mount them."""
        self.mounted = (*self.mounted, *folders)

    def settle(self) -> None:
        """Write what does not change: settings, what git ignores, the place for traces that containers share."""
        super().settle()
        self.take_layers()
        self.trace_file.touch()
        self.trace_file.chmod(0o666)
        suite = {"env": {"FLEET_TRACE": str(self.trace_file), MARKER: self.marker}, **self.suite}
        lines = [f"{name} = {inline(value)}" for name, value in suite.items()]
        self.write("pyproject.toml", "[tool.doit-fleet.suites.unit]\n" + "\n".join(lines) + "\n")
        self.write(".gitignore", "build\n.fleet\n__pycache__\n")

    def take_layers(self) -> None:
        """Begin with the layers of earlier projects."""
        mine = self.root / ".fleet" / "images"
        if self.layers is not None and self.layers.exists() and not mine.exists():
            shutil.copytree(self.layers, mine, copy_function=os.link)

    def give_layers(self) -> None:
        """Leave the layers for later projects."""
        mine = self.root / ".fleet" / "images"
        if self.layers is not None and not self.layers.exists() and mine.exists():
            shutil.copytree(mine, self.layers, copy_function=os.link)

    def environment(self) -> dict[str, str]:
        """What `doit-fleet` is started with."""
        return {**super().environment(), "VIRTUAL_ENV": str(self.python), "DOCKER_HOST": self.host}

    def start(self, *arguments: str, env: Any = None) -> Running:
        """Start `doit-fleet`."""
        mounts = [f"{folder}:{folder}" for folder in (self.shared, *self.mounted)]
        given = (
            f"project.name={self.marker}",
            f"registry.url={self.registry}/fleet-tests/{self.marker}",
            f"images.base={self.base}",
            "images.dependencies=environment",
            f"docker.mounts={json.dumps(mounts)}",
        )
        return super().start(*given, *arguments, env=env)

    def containers(self, *, services: bool = False) -> list[Any]:
        """Containers of this project, ended ones too; of the workers, or of their services."""
        labels = {"label": f"doit-fleet.project={self.marker}"}
        found = self.client.containers.list(all=True, filters=labels, ignore_removed=True)
        self.seen |= {mount["Name"] for one in found for mount in one.attrs["Mounts"] if mount["Type"] == "volume"}
        return [one for one in found if ("doit-fleet.service" in one.labels) is services]

    def running(self) -> list[Any]:
        """Containers of the workers that have not ended, those that were made first before others."""
        return [one for one in reversed(self.containers()) if one.status in ("running", "paused")]

    def supervisors(self, agent: int) -> list[int]:
        """Children of the first process of every container: the kernel shows them to the host."""
        children = children_of_all()
        return [pid for one in self.running() for pid in children.get(one.attrs["State"]["Pid"], [])]

    def until_missed(self, harnesses: Sequence[int], tests: int) -> None:
        """Nobody misses it: containers go on until all tests have run."""
        until(lambda: len(set(self.traces())) >= tests, "containers go on without their agent")

    def until_left(self) -> None:
        """Nothing is waited for: containers go on."""

    def freeze(self, pid: int, host: str) -> None:
        """Pause the container of that host name."""
        self.client.containers.get(host).pause()

    def thaw(self, pid: int, host: str) -> None:
        """Unpause it; the run may have removed it."""
        try:
            self.client.containers.get(host).unpause()
        except GONE:
            pass

    def kill(self, pid: int, host: str) -> None:
        """Kill the container."""
        self.client.containers.get(host).kill()

    def sweep(self) -> None:
        """Wait until the containers of a run that was given up have ended, and sweep."""
        until(lambda: not self.running(), "containers without an agent end", 60)
        sweep = self.start("sweep", "--all")
        assert sweep.end() == 0, sweep.output

    def left(self) -> list[str]:
        """Containers, volumes and networks, too."""
        every = [*self.containers(), *self.containers(services=True)]
        label = {"label": f"doit-fleet.project={self.marker}"}
        return [
            *super().left(),
            *(f"container {one.name} {one.status}" for one in every),
            *(f"volume {name}" for name in self.seen & self.volumes()),
            *(f"network {one.name}" for one in self.client.networks.list(filters=label)),
        ]

    def volumes(self) -> set[str]:
        """Names of all volumes that the daemon has."""
        return {one.name for one in self.client.volumes.list()}

    def clear(self) -> None:
        """Remove what a failed test has left."""
        super().clear()
        for one in [*self.containers(), *self.containers(services=True)]:
            one.remove(force=True, v=True)


def docker_project(request: pytest.FixtureRequest, root: Path, environment: Path) -> Iterator[DockerProject]:
    """A project in `root` on the shared engines; nothing of it may be left afterwards."""
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
        layers=environment.parent / "layers",
    )
    made.arguments = ("workers.count=2",)
    try:
        yield made
        until(lambda: not made.left(), made.left, 15)
        made.give_layers()
    finally:
        made.clear()
