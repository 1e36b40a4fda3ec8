"""A project for each test, with a repository of its own in the shared registry."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engines.fixtures import RegistryAddress
from tests.images.site import Site

NO_DAEMON = "unix:///nowhere/docker.sock"
MakeSite = Callable[..., Site]


@pytest.fixture
def make_site(tmp_path: Path, registry: RegistryAddress, base_image: str) -> MakeSite:
    """Makes projects; without a Docker daemon, unless one is given."""

    def make(name: str = "shop", daemon: str = NO_DAEMON, at: str = "", **more: object) -> Site:
        root = tmp_path / name
        root.mkdir()
        repository = str(more.pop("repository", f"e-images/{uuid.uuid4().hex[:12]}"))
        return Site(root, at or registry.address, base_image, daemon, repository, **more)  # type: ignore[arg-type]

    return make
