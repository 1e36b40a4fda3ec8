"""pytest-split's files and JUnit XML are read without trusting them, and written as their owners do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.adapters.duration_files import by_test, read_junit, read_test_durations, write_test_durations
from pipeline.errors import UsageError
from pipeline.model.tests import Test

JUNIT = """<?xml version="1.0" encoding="utf-8"?><testsuites><testsuite>
<testcase classname="tests.test_a.TestC" name="test_m[a::b]" time="1.5" />
<testcase classname="tests.test_a" name="test_skip" time="0.1"><skipped message="x"/></testcase>
<testcase classname="tests.test_a" name="test_bad" time="soon" />
<testcase classname="tests.test_a" name="test_nan" time="nan" />
<testcase name="test_big" classname="x" time="1,234.5" />
</testsuite></testsuites>"""

BOMB = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><testsuite><testcase name="&b;" time="1"/></testsuite>'


def test_durations_of_pytest_split_go_in_and_out(tmp_path: Path) -> None:
    """What is written is sorted JSON, and reads back equal."""
    seconds = {"b.py::t[ü]": 2.0, "a.py::t": 0.25}
    write_test_durations(tmp_path / ".test_durations", seconds)

    assert read_test_durations(tmp_path / ".test_durations") == seconds
    assert list(json.loads((tmp_path / ".test_durations").read_text())) == ["a.py::t", "b.py::t[ü]"]


def test_values_that_are_no_durations_are_left_out(tmp_path: Path) -> None:
    """Negative, infinite, boolean and textual seconds are ignored, one by one."""
    path = tmp_path / "d"
    path.write_text('{"a": 1, "b": -1, "c": NaN, "d": Infinity, "e": true, "f": "1", "g": null}')

    assert read_test_durations(path) == {"a": 1.0}


@pytest.mark.parametrize(
    "content", ["", "[]", "{", "\xff", "[" * 100_000], ids=["empty", "list", "cut", "text", "deep"]
)
def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path, content: str) -> None:
    """With the path, and without a traceback."""
    (tmp_path / "d").write_text(content)

    with pytest.raises(UsageError, match="/d'"):
        read_test_durations(tmp_path / "d")


def test_a_junit_report_gives_seconds_by_address(tmp_path: Path) -> None:
    """Skips and wrong times are left out; thousands separators are understood."""
    (tmp_path / "j.xml").write_text(JUNIT)
    seconds = read_junit(tmp_path / "j.xml")

    assert seconds == {("tests.test_a.TestC", "test_m[a::b]"): 1.5, ("x", "test_big"): 1234.5}


def test_junit_addresses_find_their_tests(tmp_path: Path) -> None:
    """Tests are found by what their framework writes for them; unknown ones are no error."""
    tests = [Test(id=f"u::{native}", suite="u", native=native) for native in ("a", "b")]

    assert by_test(tests, {("mod", "a"): 2.0}, lambda native: ("mod", native)) == {"u::a": 2.0}


@pytest.mark.parametrize(
    "content", [BOMB, BOMB.replace("[<", 'SYSTEM "file:///etc/passwd" [<'), "<a>", "\0"], ids=ascii
)
def test_hostile_xml_is_refused(tmp_path: Path, content: str) -> None:
    """A document type declaration is refused before anything in it is expanded; broken XML is told as such."""
    (tmp_path / "j.xml").write_text(content)

    with pytest.raises(UsageError, match="document type|cannot be read"):
        read_junit(tmp_path / "j.xml")
