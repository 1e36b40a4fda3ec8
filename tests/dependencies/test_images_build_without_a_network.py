"""In a container without a network: the environment runs, and pip and uv install from the packed wheels."""

from __future__ import annotations

import io
import sys
import tarfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from pipeline.adapters.dependency_layers import Dependencies
from pipeline.adapters.environment_layers import Making, lock_layer
from pipeline.adapters.installations import installation_of
from pipeline.adapters.layer_writer import write_archive
from pipeline.adapters.packed_cache import ENVIRONMENT, packed_layer
from pipeline.model.dependencies import Lock
from pipeline.model.environments import VirtualEnvironment
from pipeline.model.layer_entries import LayerEntry, program
from tests.dependencies.wheels import lock_line, make_sdist, make_wheel
from tests.engines import require
from tests.engines.fixtures import DockerEngine

pytestmark = pytest.mark.timeout(180)
BASE_PYTHON = (3, 11)
"""Of the image that all tests use."""


class Box:
    """A container without a network."""

    def __init__(self, container: Any) -> None:
        self._container = container

    def put(self, entries: Sequence[LayerEntry]) -> None:
        """Lay entries over its file system, as a layer does."""
        archive = io.BytesIO()
        write_archive(entries, archive)
        self._container.put_archive("/", archive.getvalue())

    def run(self, *command: str, **environment: str) -> str:
        """What a command printed, run as the user of images. Fails the test when it fails."""
        done = self._container.exec_run(
            list(command), user="65532:0", environment={"HOME": "/tmp", **environment}, workdir="/tmp"
        )
        text: str = done.output.decode()
        assert done.exit_code == 0, text
        return text


@pytest.fixture
def box(docker_engine: DockerEngine, base_image: str) -> Iterator[Box]:
    """A container of the base image, with its network cut."""
    client = docker_engine.client
    client.images.pull(base_image)
    container = client.containers.run(
        base_image, ["sleep", "300"], network_mode="none", detach=True, labels={"doit-fleet-test": "box"}
    )
    try:
        yield Box(container)
    finally:
        container.remove(force=True, v=True)


@pytest.fixture
def boxed(making: Making) -> Making:
    """The same for the base image's Python; byte-code is made when this machine's is of that version."""
    version = (*BASE_PYTHON, 0)
    return evolve(
        making,
        venv=VirtualEnvironment(base=f"/usr/bin/python{version[0]}.{version[1]}", version=version),
        target=evolve(making.target, python=version),
    )


def test_the_environment_runs_in_the_image(
    boxed: Making, shelf: Path, lock_of: Callable[[str], Lock], box: Box, tmp_path: Path
) -> None:
    """Packages are imported from the environment, its scripts run, and its byte-code is what is loaded."""
    alpha = make_wheel(shelf, "alpha", scripts="alpha = alpha:main")
    box.put(lock_layer(lock_of(lock_line(alpha, "alpha")), boxed).make(tmp_path))
    python = boxed.venv.python

    assert box.run(f"{boxed.venv.prefix}/bin/alpha") == "alpha 1.0\n"
    said = box.run(
        python, "-c", "import sys, alpha; print(sys.prefix, alpha.__file__, sys.prefix != sys.base_prefix)"
    ).split()
    assert said == [boxed.venv.prefix, f"{boxed.venv.packages}/alpha.py", "True"]
    if sys.version_info[:2] == BASE_PYTHON:
        assert "code object from" in box.run(
            "/bin/sh", "-c", f"{python} -v -c 'import alpha' 2>&1 | grep alpha.cpython-311.pyc"
        )


def test_pip_and_uv_build_from_the_packed_layer(
    boxed: Making, shelf: Path, lock_of: Callable[[str], Lock], box: Box, tmp_path: Path
) -> None:
    """With the network cut, both install the lock's wheels into a new environment, and what was built from a source."""
    wheels = [make_wheel(shelf, name) for name in ("alpha", "beta")]
    sdist = make_sdist(shelf, "source")
    lock = lock_of("".join(lock_line(one, one.name.split("-")[0]) for one in (*wheels, sdist)))
    making = evolve(boxed, installation=evolve(boxed.installation, version=(*BASE_PYTHON, 0)))
    found = Dependencies(
        layers=(lock_layer(lock, making),), python=making.venv.python, source="", lock=lock, making=making
    )
    packed = packed_layer([found])
    assert packed is not None
    box.put(packed.make(tmp_path))

    box.run("python3", "-m", "venv", "/tmp/by-pip")
    box.run("/tmp/by-pip/bin/pip", "install", "alpha", "source", **packed.environment)
    assert (
        box.run("/tmp/by-pip/bin/python", "-c", "import alpha, source; print(alpha.VERSION, source.VERSION)")
        == "1.0 1.0\n"
    )

    box.put([program("/usr/local/bin/uv", uv_program())])
    box.run("uv", "venv", "/tmp/by-uv", **ENVIRONMENT)
    box.run("uv", "pip", "install", "--python", "/tmp/by-uv/bin/python", "beta", **ENVIRONMENT)
    assert box.run("/tmp/by-uv/bin/python", "-c", "import beta; print(beta.VERSION)") == "1.0\n"


def uv_program() -> Path:
    """The program of the uv that is installed beside these tests."""
    path = Path(sys.executable).parent / "uv"
    return require(path if path.exists() else None, "uv is not installed: pip install uv")


def test_unchanged_content_gives_a_layer_of_the_same_bytes(
    boxed: Making, shelf: Path, lock_of: Callable[[str], Lock], tmp_path: Path
) -> None:
    """The packed layer is the same archive whether wheels were fetched just now or came from the cache."""
    lock = lock_of(lock_line(make_wheel(shelf, "alpha"), "alpha"))
    archives = []
    for number in range(2):
        found = Dependencies(layers=(lock_layer(lock, boxed),), python="", source="", lock=lock, making=boxed)
        packed = packed_layer([found])
        assert packed is not None
        (tmp_path / str(number)).mkdir()
        archive = io.BytesIO()
        write_archive(packed.make(tmp_path / str(number)), archive)
        archives.append(archive.getvalue())

    assert archives[0] == archives[1]
    with tarfile.open(fileobj=io.BytesIO(archives[0])) as tar:
        assert "opt/doit-fleet/cache/wheels/alpha-1.0-py3-none-any.whl" in tar.getnames()


def test_the_interpreter_of_these_tests_says_what_it_has() -> None:
    """The probe names distributions with their files."""
    found = {one.name.lower(): one for one in installation_of(sys.executable).distributions}

    assert any(path.endswith("pytest/__init__.py") for path in found["pytest"].files)
