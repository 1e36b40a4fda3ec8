"""Nothing changed means nothing runs, and `-v2` says what changed."""

from __future__ import annotations

import re

import pytest

from tests.first_use.using import Said, Site

pytestmark = pytest.mark.timeout(240)
"""The first test waits until wheels are built and installed."""


@pytest.fixture
def green(site: Site) -> Site:
    """A project after its first, green run; it reads a data file and declares a variable."""
    site.write("data.txt", "1\n")
    site.write("tests/test_one.py", "def test_one():\n    assert open('data.txt').read().strip() == '1'\n")
    site.write(
        "pyproject.toml",
        '[tool.doit]\nloader = "fleet"\n[tool.doit-fleet.project]\ninputs.environment = ["MODE"]\n',
    )
    assert site.doit().code == 0
    return site


def ran(said: Said) -> bool:
    """Whether tests were run."""
    return " tests in " in said.text or " test in " in said.text


def test_the_result_is_said_again_with_its_age(green: Site) -> None:
    """A second `doit` starts no test and says what the first found, how long ago, and how to run regardless."""
    said = green.doit()

    assert said.code == 0
    assert not ran(said)
    assert re.fullmatch(r"up to date: 1 test passed (.* ago|just now); `doit -a` runs regardless\n", said.text), (
        said.text
    )


def test_a_data_file_counts(green: Site) -> None:
    """A change of a file that no test imports runs the tests, and `-v2` names it."""
    green.write("data.txt", "2\n")

    said = green.doit("-v2")

    assert (said.code, ran(said)) == (1, True)
    assert "data.txt" in said.text.partition("collecting")[0], said.text


def test_the_declared_environment_counts(green: Site) -> None:
    """A declared variable decides, another one does not."""
    other = green.fleet(OTHER="1")
    declared = green.fleet("-v2", MODE="1")

    assert not ran(other), other.text
    assert ran(declared)
    assert "MODE" in declared.text.partition("collecting")[0], declared.text


def test_a_red_result_does_not_stand(green: Site) -> None:
    """After a failure the same command runs again."""
    green.write("data.txt", "2\n")
    green.doit()

    assert ran(green.doit())
