"""Fixtures: an empty project, run with the interpreter of these tests."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.compatibility.project import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with a conftest.py and pytest.ini of its own."""
    made = Project(tmp_path / "project", Path(sys.executable))
    made.write(conftest__py="")
    made.settings("-p no:cacheprovider")
    return made
