"""Fixtures: an empty project whose commands are started by the interpreter of these tests."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.any_command.bench import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A project with nothing but what a test writes."""
    (tmp_path / "project").mkdir()
    made = Bench(tmp_path / "project", Path(sys.executable))
    made.by_hand("git init -q .")
    made.write(__gitignore="build\n.fleet\n__pycache__\n")
    return made
