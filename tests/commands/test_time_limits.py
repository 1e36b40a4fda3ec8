"""Slow tests are named, those without end are ended with their stacks in the log, and so is a run."""

from __future__ import annotations

import pytest

from tests.compatibility.project import TEST_SECONDS, Project

pytestmark = pytest.mark.timeout(TEST_SECONDS)

HANGS = """
    import time
    def helper_that_hangs(): time.sleep(100)
    def test_hangs(): helper_that_hangs()
    def test_after(): pass
"""


def test_a_test_without_end(project: Project) -> None:
    """It is named while it runs, its stacks are in its worker's log, its verdict is timed-out; its neighbours pass."""
    project.write(test_a__py=HANGS, test_b__py="def test_b(): pass\n")

    done = project.fleet("pytest.timeout_seconds=1.5", "pytest.slow_after_seconds=0.5")

    assert done.code == 1, done.output
    assert "slow: pytest::test_a.py::test_hangs has been running for" in done.output
    assert "TIMED-OUT pytest::test_a.py::test_hangs" in done.output
    assert [name for name, verdict in done.verdicts.items() if verdict != "passed"] == ["test_a::test_hangs"]
    logs = (project.root / ".fleet" / "local").glob("*/slot-*/*/worker.log")
    assert any("helper_that_hangs" in log.read_text() for log in logs)


def test_a_run_without_end(project: Project) -> None:
    """It stays open and says why; the same command would go on with it."""
    project.write(test_a__py=HANGS)

    done = project.fleet("run.timeout_seconds=1")

    assert done.code == 2
    assert "run timed out" in done.output
    assert "the same command goes on with it" in done.output
