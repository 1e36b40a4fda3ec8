"""A tool environment that holds doit-fleet as its wheel installs it and no pytest, and projects beside it."""

from __future__ import annotations

import re
from importlib.metadata import requires
from pathlib import Path

import pytest

from tests.first_use.installing import REPOSITORY, Venv, build_wheel, make_venv
from tests.first_use.using import Site


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    return build_wheel(REPOSITORY, tmp_path_factory.mktemp("wheels"))


@pytest.fixture(scope="session")
def tool(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Venv:
    """What `uv tool install` or `pipx install` make."""
    needs = [line for line in requires("doit-fleet") or () if "extra ==" not in line]
    names = [match[0] for line in needs if (match := re.match(r"[A-Za-z0-9._-]+", line))]
    return make_venv(tmp_path_factory.mktemp("tool") / "env").link(*names).install(wheel)


@pytest.fixture(scope="session")
def project_env(tmp_path_factory: pytest.TempPathFactory) -> Venv:
    """An environment of the user's with pytest and nothing of ours."""
    return make_venv(tmp_path_factory.mktemp("users") / "env").link("pytest")


@pytest.fixture
def site(tool: Venv, project_env: Venv, tmp_path: Path) -> Site:
    """A project with one good test, a `.venv` of its own, and an empty home."""
    made = Site(tmp_path / "project", tmp_path / "home", tool)
    made.write("tests/test_one.py", "def test_one():\n    assert True\n")
    (made.root / ".venv").symlink_to(project_env.folder)
    return made
