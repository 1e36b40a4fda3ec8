"""A project for each test, with a repository of its own in the shared registry."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engines.fixtures import RegistryAddress
from tests.images.site import Site

NO_DAEMON = "unix:///nowhere/docker.sock"
MakeSite = Callable[..., Site]


@pytest.fixture(scope="session")
def still(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our packages as they are now: a part of them is a layer, and whoever edits them during a test would change that."""
    here, folder = Path(__file__).parents[2], tmp_path_factory.mktemp("still")
    for name in ("pipeline", "extensions", "dockerfiles"):
        shutil.copytree(here / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.fixture
def make_site(tmp_path: Path, registry: RegistryAddress, base_image: str, still: Path) -> MakeSite:
    """Makes projects; without a Docker daemon, unless one is given."""
    path = os.pathsep.join([str(still), *filter(None, [os.environ.get("PYTHONPATH")])])

    def make(name: str = "shop", daemon: str = NO_DAEMON, at: str = "", **more: object) -> Site:
        root = tmp_path / name
        root.mkdir()
        repository = str(more.pop("repository", f"e-images/{uuid.uuid4().hex[:12]}"))
        more["environment"] = {"PYTHONPATH": path, **more.pop("environment", {})}  # type: ignore[dict-item]
        return Site(root, at or registry.address, base_image, daemon, repository, **more)  # type: ignore[arg-type]

    return make
