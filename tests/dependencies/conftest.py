"""A project with a lock, an index that has what it names, and an empty cache."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from attrs import evolve

from pipeline.adapters.artifact_cache import TieredCache
from pipeline.adapters.environment_layers import Making
from pipeline.adapters.index_settings import IndexSettings
from pipeline.adapters.installations import installation_of
from pipeline.logic.requirement_lock import read_requirements
from pipeline.model.dependencies import Lock, Target
from pipeline.model.environments import VirtualEnvironment
from tests.dependencies.index import Index, serving

VERSION = (sys.version_info[0], sys.version_info[1], sys.version_info[2])


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """The folder of the files that the index has."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    return folder


@pytest.fixture
def index(shelf: Path) -> Iterator[Index]:
    """The index."""
    with serving(shelf) as index:
        yield index


@pytest.fixture
def target() -> Target:
    """The Python that runs these tests, on a usual machine."""
    return Target(python=VERSION)


@pytest.fixture
def making(tmp_path: Path, index: Index, target: Target) -> Making:
    """What layers are made with, with the index as the user's own."""
    root = tmp_path / "project"
    root.mkdir()
    installation = evolve(installation_of(sys.executable), distributions=(), machine="x86_64", packages=())
    return Making(
        venv=VirtualEnvironment(base=f"/usr/bin/python{VERSION[0]}.{VERSION[1]}", version=VERSION),
        installation=installation,
        root=root,
        target=target,
        cache=TieredCache(tmp_path / "cache", sync=False),
        settings=IndexSettings(indexes=(index.url,), is_set=True),
        scratch=tmp_path,
        progress=lambda text: None,
    )


@pytest.fixture
def lock_of(target: Target) -> Callable[[str], Lock]:
    """Reads the text of a requirements file as a lock."""
    return lambda text: read_requirements("requirements.txt", lambda path: text, target, {})
