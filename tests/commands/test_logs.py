"""`doit logs <worker>` prints what a worker has written, and no other file whatever its birth says."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.stages.logs import is_ours
from tests.compatibility.project import TEST_SECONDS, Project

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


def test_a_birth_cannot_name_any_file(tmp_path: Path) -> None:
    """Workers elsewhere write their own births."""

    class Agent:
        root = tmp_path

    assert is_ours(Agent(), tmp_path / "scratch" / "worker.log")  # type: ignore[arg-type]
    assert not is_ours(Agent(), Path("/etc/passwd"))  # type: ignore[arg-type]
    assert not is_ours(Agent(), tmp_path / ".." / "worker.log")  # type: ignore[arg-type]
