"""`doit-fleet` works from any sub-directory, without set-up, and refuses what it cannot do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.graph.cli import main
from pipeline.graph.project import find_root
from tests.graph.conftest import REPOSITORY, SCRIPT, Project
from tests.graph.sample import SampleLoader


@pytest.mark.parametrize("name", ["pyproject.toml", "fleet.toml", "setup.cfg"])
def test_from_a_sub_directory(project: Project, name: str) -> None:
    """The nearest set-up folder above is the project; without any, the nearest that looks like one."""
    text = (project.folder / "pyproject.toml").read_text()
    (project.folder / "pyproject.toml").unlink()
    project.write(name, text if name == "pyproject.toml" else "")
    project.write("a/b/c", "")

    project.doit("compile", tool=SCRIPT, within="a/b")

    assert ["project"] == project.logged("composed")
    assert ["compile"] == project.ran()


def test_a_folder_that_is_set_up_beats_a_nearer_one_that_is_not(tmp_path: Path) -> None:
    """A package inside a monorepo has its own pyproject.toml; the root has our table. A repository is the limit."""
    (tmp_path / "package" / "src").mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text("[tool.doit-fleet]\n")
    (tmp_path / "package" / "pyproject.toml").write_text("[project]\nname = 'doit-like'\n")

    assert tmp_path == find_root(tmp_path / "package" / "src")
    (tmp_path / "package" / ".git").mkdir()
    assert tmp_path / "package" == find_root(tmp_path / "package" / "src")


def test_windows_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """A clear exit 3 names WSL."""
    assert 3 == main(["list"], SampleLoader, platform="win32")
    assert "WSL" in capsys.readouterr().err


def test_an_empty_argument_is_refused(project: Project) -> None:
    """doit itself would show a traceback."""
    assert "an argument is empty" in project.doit("", code=3, tool=SCRIPT).stderr


def test_version(project: Project) -> None:
    """`--version` names us and doit."""
    assert project.doit("--version", tool=SCRIPT).stdout.startswith("doit-fleet ")


@pytest.mark.parametrize("content", [b"[tool\n", b"name = '\xff'\n"])
def test_a_file_that_is_no_toml_is_wrong_settings(project: Project, content: bytes) -> None:
    """Exit 3 and the place, not a traceback that ends with the code of failed tests."""
    (project.folder / "pyproject.toml").write_bytes(content)

    said = project.doit("list", code=3, tool=SCRIPT).stderr

    assert said.startswith("ERROR: pyproject.toml: ")
    assert "Traceback" not in said


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", ">&- 2>&- <&-"])
def test_closed_streams_become_the_null_device(tmp_path: Path, closed: str) -> None:
    """A daemon or a cron job may start us so; else the next file opened got the number, and prints went into it."""
    code = (
        "import os, sys; from pipeline.graph.cli import main; from tests.graph.sample import SampleLoader;"
        "main(['--version'], SampleLoader);"
        "held = os.path.exists('/dev/fd/0') and os.path.exists('/dev/fd/1') and os.path.exists('/dev/fd/2');"
        "sys.exit(0 if held and sys.stdin and sys.stdout and sys.stderr else 9)"
    )
    shell = ["sh", "-c", f'"$@" {closed}', "sh", sys.executable, "-c", code]

    ended = subprocess.run(shell, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(REPOSITORY)}, check=False)

    assert 0 == ended.returncode
