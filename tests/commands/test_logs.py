"""`doit logs <worker>` prints what a worker has written, and no other file whatever its birth says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipeline.stages.logs import is_ours
from tests.compatibility.project import TEST_SECONDS, Project
from tests.faults.project import Project as Running

pytestmark = pytest.mark.timeout(TEST_SECONDS)


def test_the_log_of_a_worker_is_printed(project: Project) -> None:
    """After a run, by the worker's name; a name that is none is told with those that are."""
    project.write(
        tests_in_test_p__py="import os\ndef test_p(): os.write(2, b'said \\x1b[31m aloud')\n",
        pytest__ini="[pytest]\naddopts=-s\n",
    )
    assert project.fleet().code == 0

    done = project.fleet("logs", "w0-1")
    wrong = project.fleet("logs", "w9-9")

    assert done.code == 0, done.output
    assert "said  aloud" in done.output
    assert "\x1b" not in done.output
    assert wrong.code == 3
    assert "w0-1" in wrong.output


COMMANDS = """
[tool.doit-fleet.suites.bench]
framework = "command"
rows = [{ name = "a" }]
command = "echo said aloud"
"""


def test_what_tests_of_commands_printed_is_where_it_is_said(tmp_path: Path) -> None:
    """Their worker prints nothing itself, and was not killed; where the run's record is gone the store knows it."""
    root = tmp_path / "project"
    root.mkdir()
    project = Running(root=root, arguments=("workers.count=1",))
    project.write("pyproject.toml", COMMANDS)
    run = project.start()
    assert run.end() == 0, run.output
    assert "slot-0" not in run.output.rpartition("logs:")[2] or list(root.glob(".fleet/local/*/slot-0/*/worker.log"))
    (root / "build" / "launch" / "run.json").unlink()

    logs = project.start("logs")
    assert logs.end() == 0, logs.output
    assert "w0-1" in logs.output
    told = project.start("logs", "w0-1")
    assert told.end() == 0, told.output
    assert "was killed" not in told.output
    found = re.search(r"what its tests printed is in (\S+)/<suite>/<test>.log", told.output)
    assert found is not None, told.output
    assert "said aloud" in (root / found[1] / "bench" / "a.log").read_text()


def test_a_birth_cannot_name_any_file(tmp_path: Path) -> None:
    """Workers elsewhere write their own births."""

    class Agent:
        root = tmp_path

    assert is_ours(Agent(), tmp_path / "scratch" / "worker.log")  # type: ignore[arg-type]
    assert not is_ours(Agent(), Path("/etc/passwd"))  # type: ignore[arg-type]
    assert not is_ours(Agent(), tmp_path / ".." / "worker.log")  # type: ignore[arg-type]
