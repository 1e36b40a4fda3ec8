"""Where an interpreter is looked for, and which one is taken."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.adapters.interpreters import Wanted, find, named
from pipeline.errors import UsageError

PYTEST = Wanted({"pytest": 7})


def make_environment(at: Path, *, pytest_version: str = "8.0.0") -> Path:
    """A virtual environment that claims to hold pytest."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", "--symlinks", str(at)], check=True)
    site = next((at / "lib").glob("python3*")) / "site-packages"
    if pytest_version:
        info = site / f"pytest-{pytest_version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: pytest\nVersion: {pytest_version}\n")
    return at


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """An environment in which no python is on PATH."""
    (tmp_path / "empty").mkdir()
    return {"PATH": str(tmp_path / "empty")}


def test_the_active_environment_wins(tmp_path: Path, bare: dict[str, str]) -> None:
    """VIRTUAL_ENV comes before a `.venv` folder."""
    active = make_environment(tmp_path / "active")
    make_environment(tmp_path / ".venv")

    found = find(tmp_path, tmp_path, {**bare, "VIRTUAL_ENV": str(active)}, PYTEST)

    assert found.path == str(active / "bin" / "python")
    assert found.packages == {"pytest": "8.0.0"}


def test_an_active_environment_without_pytest_is_passed_over(tmp_path: Path, bare: dict[str, str]) -> None:
    """The next place is looked at when one does not fit."""
    active = make_environment(tmp_path / "active", pytest_version="")
    own = make_environment(tmp_path / ".venv")

    found = find(tmp_path, tmp_path, {**bare, "VIRTUAL_ENV": str(active)}, PYTEST)

    assert found.path == str(own / "bin" / "python")


def test_a_suite_of_a_monorepo_uses_the_nearest_environment(tmp_path: Path, bare: dict[str, str]) -> None:
    """The suite's own folder comes before the project's."""
    make_environment(tmp_path / ".venv")
    (tmp_path / "part").mkdir()
    own = make_environment(tmp_path / "part" / ".venv")

    found = find(tmp_path / "part", tmp_path, bare, PYTEST)

    assert found.path == str(own / "bin" / "python")


def test_when_none_fits_every_place_is_named(tmp_path: Path, bare: dict[str, str]) -> None:
    """The message lists the places searched, with the reason for each, and the way out."""
    make_environment(tmp_path / ".venv", pytest_version="6.2.5")

    with pytest.raises(UsageError) as caught:
        find(tmp_path, tmp_path, bare, PYTEST)

    text = str(caught.value)
    assert "pytest 7 or newer (it has 6.2.5)" in text
    for place in ("VIRTUAL_ENV", ".venv", "CONDA_PREFIX", "python3 on PATH", "suites.<name>"):
        assert place in text
    assert caught.value.exit_code == 3


def test_poetry_is_asked_where_its_lock_is_seen(
    tmp_path: Path, bare: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command of another tool names the environment."""
    own = make_environment(tmp_path / "elsewhere")
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "poetry").write_text(f"#!/bin/sh\necho {own}\n")
    (tools / "poetry").chmod(0o755)
    (tmp_path / "poetry.lock").touch()
    monkeypatch.setenv("PATH", str(tools), prepend=os.pathsep)

    found = find(tmp_path, tmp_path, bare, PYTEST)

    assert found.path == str(own / "bin" / "python")


@pytest.mark.skipif(sys.prefix == sys.base_prefix, reason="the tests do not run in an environment of their own")
def test_our_own_environment_is_not_taken_by_accident(tmp_path: Path) -> None:
    """An interpreter on PATH that is ours is refused, the same one activated on purpose is taken."""
    path = {"PATH": str(Path(sys.prefix) / "bin")}

    with pytest.raises(UsageError, match="doit-fleet itself"):
        find(tmp_path, tmp_path, path, PYTEST)

    assert find(tmp_path, tmp_path, {**path, "VIRTUAL_ENV": sys.prefix}, PYTEST).prefix == sys.prefix


def test_a_setting_names_a_folder_a_file_or_a_command(tmp_path: Path) -> None:
    """Each form leads to the same interpreter."""
    own = make_environment(tmp_path / "mine")

    for name in ("./mine", str(own), str(own / "bin" / "python"), "mine/bin/python"):
        assert named(name, tmp_path, PYTEST).prefix == str(own)


def test_a_setting_that_names_nothing_is_an_error(tmp_path: Path) -> None:
    """A named interpreter is never replaced by a found one."""
    with pytest.raises(UsageError, match=r"python '3\.99' cannot run this suite"):
        named("3.99", tmp_path, PYTEST)
