"""A task of the user's own dodo.py declares its outputs as a layer; the edge to it comes along."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

DODO = """
def task_dump_schema():
    return {"actions": ["mkdir -p schema && echo 'create table t;' >schema/dump.sql && echo ran >>runs"], "file_dep": ["models.txt"], "targets": ["schema/dump.sql"]}


def configure(fleet):
    fleet.artifacts.add("schema", lambda artifact: artifact.from_task("dump_schema", outputs=["schema"]))
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose workers would run images."""
    root = tmp_path / "project"
    root.mkdir()
    (root / "test_one.py").write_text("def test_one():\n    pass\n")
    (root / "models.txt").write_text("t\n")
    (root / "dodo.py").write_text(DODO)
    (root / "fleet.toml").write_text(
        f'[workers]\nlauncher = "docker"\n[suites.pytest]\npython = "{sys.executable}"\n[images]\ndependencies = "none"\n'
        f'[cache]\ndir = "{tmp_path}/cache"\n'
        '[artifacts.version]\ncommand = "mkdir -p made && cp models.txt made/"\ninputs = ["models.txt"]\noutputs = ["made"]\n'
    )
    (root / "pyproject.toml").write_text('[tool.doit]\nloader = "fleet"\n')
    return root


def doit(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """doit, run in the project."""
    return subprocess.run(
        [sys.executable, "-m", "doit", *words], cwd=project, capture_output=True, text=True, check=False
    )


def report(project: Path) -> dict[str, dict[str, object]]:
    """What the task said it did, by artifact."""
    told = json.loads((project / "build" / "artifacts" / "artifacts.json").read_text())
    return {one["name"]: one for one in told["artifacts"]}


def test_the_users_task_runs_first_and_its_outputs_become_a_layer(project: Path) -> None:
    """`doit artifacts` runs the task it needs, then captures what it made; nothing runs again while nothing changes."""
    done = doit(project, "artifacts")
    assert done.returncode == 0, done.stdout + done.stderr
    first = report(project)

    assert (project / "runs").read_text() == "ran\n"
    assert first["schema"]["files"] == 1
    assert first["version"]["how"] == "made"
    told = (project / "build" / "artifacts" / "artifacts.json").stat().st_mtime_ns

    again = doit(project, "artifacts")
    assert again.returncode == 0, again.stdout + again.stderr
    assert (project / "runs").read_text() == "ran\n"
    assert (project / "build" / "artifacts" / "artifacts.json").stat().st_mtime_ns == told


def test_what_changed_is_made_again_and_what_was_is_found(project: Path) -> None:
    """A new input makes new outputs; going back to the old one finds the old ones in the cache."""
    assert doit(project, "artifacts").returncode == 0
    (project / "models.txt").write_text("u\n")
    assert doit(project, "artifacts").returncode == 0
    assert report(project)["version"]["how"] == "made"
    (project / "models.txt").write_text("t\n")
    assert doit(project, "artifacts").returncode == 0

    assert report(project)["version"]["how"] == "hit"
    assert (project / "made" / "models.txt").read_text() == "t\n"


def test_mistakes_in_settings_are_told_before_anything_runs(project: Path) -> None:
    """An artifact with neither command nor task is wrong usage."""
    with (project / "fleet.toml").open("a") as file:
        file.write('[artifacts.empty]\noutputs = ["x"]\n')
    done = doit(project, "artifacts")

    assert done.returncode == 3
    assert "artifact 'empty' needs either a command or a task" in done.stdout + done.stderr
