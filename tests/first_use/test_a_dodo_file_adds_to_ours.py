"""A user's dodo.py configures the fleet, and its tasks and ours depend on each other."""

from __future__ import annotations

import pytest

from tests.first_use.using import Site

pytestmark = pytest.mark.timeout(240)
"""The first test waits until wheels are built and installed."""

DODO = """\
def configure(fleet):
    fleet.workers.count = 1
    fleet.tasks["launch"].needs("migrate")

def task_migrate():
    return {"actions": ["mkdir -p build && touch build/migrated"], "targets": ["build/migrated"]}

def task_publish():
    return {"actions": ["echo published"], "task_dep": ["gather"], "verbosity": 2}
"""


def test_edges_work_in_both_directions(site: Site) -> None:
    """Ours waits for the user's task, and the user's waits for ours."""
    site.write("dodo.py", DODO)
    site.write("tests/test_one.py", "import os\ndef test_one():\n    assert os.path.exists('build/migrated')\n")

    said = site.fleet("publish")

    assert said.code == 0, said.text
    assert said.text.index("1 passed") < said.text.index("published")


def test_what_waits_for_red_tests_does_not_run(site: Site) -> None:
    """A user's task that needs green tests is not started after red ones, and the code is that of the tests."""
    site.write("dodo.py", DODO)
    site.write("tests/test_one.py", "def test_one():\n    assert False\n")

    said = site.fleet("publish")

    assert said.code == 1, said.text
    assert "published" not in said.text
