"""A user's own modules called `pipeline` and `extensions` are what the user's code gets."""

from __future__ import annotations

import pytest

from tests.first_use.using import Site

pytestmark = pytest.mark.timeout(240)
"""The first test waits until wheels are built and installed."""


@pytest.fixture
def named_like_ours(site: Site) -> Site:
    """A project with a package `pipeline` and a module `extensions`."""
    site.write("pipeline/__init__.py", "WHOSE = 'mine'\n")
    site.write("pipeline/model.py", "WHOSE = 'mine'\n")
    site.write("extensions.py", "WHOSE = 'mine'\n")
    site.write("pytest.ini", "[pytest]\npythonpath = .\n")
    return site


def test_in_tests_and_conftests(named_like_ours: Site) -> None:
    """In the tests' process there is nothing of ours by these names."""
    claim = "import extensions, pipeline, pipeline.model\nassert extensions.WHOSE == pipeline.model.WHOSE == 'mine'\n"
    named_like_ours.write("tests/conftest.py", claim)
    named_like_ours.write("tests/test_one.py", f"{claim}\n\ndef test_one():\n    assert pipeline.WHOSE == 'mine'\n")

    said = named_like_ours.fleet()

    assert said.code == 0, said.text
    assert list(named_like_ours.outcomes().values()) == ["passed"]


def test_in_dodo_py(named_like_ours: Site) -> None:
    """While dodo.py is imported, configures, and runs its actions, these names are the user's."""
    named_like_ours.write(
        "dodo.py",
        """\
import extensions, pipeline

def configure(fleet):
    import pipeline.model
    assert pipeline.model.WHOSE == "mine"
    fleet.workers.count = 1
    fleet.tasks["launch"].needs("look")

def look():
    import pipeline.model
    print("in an action:", pipeline.model.WHOSE, extensions.WHOSE)

def task_look():
    return {"actions": [look], "verbosity": 2}
""",
    )

    said = named_like_ours.fleet()

    assert said.code == 0, said.text
    assert "in an action: mine mine" in said.text
    assert "1 worker" in said.text
