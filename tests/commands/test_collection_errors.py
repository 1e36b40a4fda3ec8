"""A file that cannot be collected ends the run before anything starts, unless pytest's own option says otherwise."""

from __future__ import annotations

import pytest

from tests.compatibility.project import TEST_SECONDS, Project

pytestmark = pytest.mark.timeout(TEST_SECONDS)

FILES = {"test_a__py": "def test_a(): open('ran', 'w')\n", "test_b__py": "import nothing_of_that_name\n"}


def test_nothing_starts(project: Project) -> None:
    """The error is shown in full, and the exit code is 2."""
    project.write(**FILES)

    done = project.fleet()

    assert done.code == 2
    assert "nothing_of_that_name" in done.output
    assert not (project.root / "ran").exists()


def test_the_rest_runs_when_asked_for(project: Project) -> None:
    """With `--continue-on-collection-errors` the others run; the result is not trustworthy all the same."""
    project.settings("-p no:cacheprovider", "--continue-on-collection-errors")
    project.write(**FILES)

    done = project.fleet()

    assert done.code == 2, done.output
    assert done.verdicts["test_a::test_a"] == "passed"
    assert "test_b.py: not collected" in done.output
