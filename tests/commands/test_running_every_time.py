"""`up_to_date = false` means: run, whatever an earlier run with other settings has left."""

from __future__ import annotations

import pytest

from tests.compatibility.project import TEST_SECONDS, Project

pytestmark = pytest.mark.timeout(TEST_SECONDS)


def test_a_green_result_does_not_stand_where_the_suite_forbids_it(project: Project) -> None:
    """The first run may stand and is said again; with the setting the same inputs run anew."""
    project.write(test_a__py="def test_a(): pass\n")

    first, again, anew = project.fleet(), project.fleet(), project.fleet("suites.pytest.up_to_date=false")

    assert (first.code, again.code, anew.code) == (0, 0, 0)
    assert [one.output.count("1 test in 1 batch") for one in (first, again, anew)] == [1, 0, 1], anew.output
