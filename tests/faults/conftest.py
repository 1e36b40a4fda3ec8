"""Fixtures: a project for each test, for each launcher there is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.project import Project, kill_all, until

LAUNCHERS = ("local",)


@pytest.fixture(params=LAUNCHERS)
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Project]:
    """A project of its own; nothing of it may live afterwards."""
    root = tmp_path / "project"
    root.mkdir()
    made = Project(root, launcher=request.param)
    yield made
    try:
        until(lambda: not made.processes(), "all processes of the run are gone", 15)
    finally:
        kill_all(list(made.processes()))
