"""What cannot be run ends at once, with an exit code and a message that a person can act on."""

from __future__ import annotations

import pytest

from pipeline.graph.cli import main
from tests.first_use.using import Site

pytestmark = pytest.mark.timeout(240)
"""The first test waits until wheels are built and installed."""


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("tests/test_one.py", "", "no tests were found"),
        ("tests/test_bad.py", "def x(:\n", "tests/test_bad.py:1: invalid syntax"),
        ("tests/test_bad.py", "import not_there\n", "No module named 'not_there'"),
        ("tests/conftest.py", "import not_there\n", "No module named 'not_there'"),
        ("pytest.ini", "[pytest]\naddopts = --no-such-option\n", "unrecognized arguments: --no-such-option"),
    ],
    ids=["no tests", "syntax", "collection", "conftest", "usage"],
)
def test_the_reason_is_on_the_terminal(site: Site, file: str, text: str, told: str) -> None:
    """The framework's own words are shown, no test is started, nothing of ours is traced back."""
    site.write(file, text)

    said = site.fleet()

    assert said.code == 2, said.text
    assert told in said.text
    assert "/pipeline/" not in said.text and "/extensions/" not in said.text
    assert not (site.root / "build" / "reports" / "junit.xml").exists()


def test_no_tests_may_be_meant(site: Site) -> None:
    """`run.allow_empty` makes a project without tests green."""
    site.write("tests/test_one.py", "")

    assert site.fleet("run.allow_empty=yes").code == 0


def test_windows_is_refused_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    """There it ends with 3 and names WSL, before anything else is looked at."""
    code = main([], lambda: pytest.fail("too late"), platform="win32")

    assert code == 3
    assert "WSL" in capsys.readouterr().err


def test_unknown_settings_come_with_a_suggestion(site: Site) -> None:
    """A typing mistake is told before anything starts."""
    said = site.fleet("workers.cuont=2")

    assert said.code == 3, said.text
    assert "did you mean 'count'" in said.text
