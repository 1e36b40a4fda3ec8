"""A failed test is tried again as often as its suite says; what passes then is flaky, and told so."""

from __future__ import annotations

import pytest

from tests.compatibility.project import TEST_SECONDS, Project

pytestmark = pytest.mark.timeout(TEST_SECONDS)

SETTINGS = """\
[project]
name = "x"
version = "1"
[tool.doit-fleet.suites.one]
paths = ["test_one.py"]
retries = 2
[tool.doit-fleet.suites.other]
paths = ["test_other.py"]
"""


def test_each_suite_has_retries_of_its_own(project: Project) -> None:
    """The attempt's number is in the environment; nothing is hidden, and without retries one failure is enough."""
    project.write(
        pyproject__toml=SETTINGS,
        test_one__py="import os\ndef test_third(): assert os.environ['DOIT_FLEET_ATTEMPT'] == '3'\n",
        test_other__py="import os\ndef test_second(): assert os.environ['DOIT_FLEET_ATTEMPT'] == '2'\n",
    )

    done = project.fleet()

    assert done.code == 1, done.output
    assert done.verdicts == {"test_one::test_third": "passed", "test_other::test_second": "failure"}
    assert "flaky: PASSED one::test_one.py::test_third" in done.output
    assert "try 3" in done.output
