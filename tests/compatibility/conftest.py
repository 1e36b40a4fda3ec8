"""Fixtures: an empty project and the interpreter with all plug-ins."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.compatibility import environment
from tests.compatibility.project import Project
from tests.engines import require


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with a conftest.py and pytest.ini of its own."""
    python = require(environment.find(), environment.MISSING)
    made = Project(tmp_path / "project", python)
    made.write(conftest__py="")
    made.settings()
    return made
