"""Sources that change while tests run are named, and the result is never taken as up to date."""

from __future__ import annotations

import pytest

from tests.compatibility.project import TEST_SECONDS, Project

pytestmark = pytest.mark.timeout(TEST_SECONDS)


def test_the_changed_file_is_named_and_the_next_run_runs(project: Project) -> None:
    """A test writes into the project: the run is green, but the same command runs everything again."""
    project.write(test_a__py="def test_a(): open('made-by-a-test.txt', 'a').write('x')\n")

    first, second = project.fleet(), project.fleet()

    assert (first.code, second.code) == (0, 0)
    assert "changed while tests ran: made-by-a-test.txt" in first.output
    assert "up to date" not in second.output.replace("taken as up to date", "").replace("nothing is up to date", "")
