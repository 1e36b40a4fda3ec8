"""Claims about text of tests on its way to terminals and CI logs."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.report.annotations import annotation, guarded
from pipeline.report.failure import failure_text
from pipeline.report.inert import inert, inert_line
from tests.report.samples import HOSTILE, failed, plain_line


@given(st.text(alphabet=st.characters()))
def test_no_control_character_gets_through(text: str) -> None:
    """Whatever a test prints, a terminal obeys nothing of it but line ends and tabs."""
    left = {each for each in inert(text) if unicodedata.category(each) in {"Cc", "Cs"}}

    assert left <= {"\n", "\t"}


@given(st.text())
def test_one_line_is_one_line(text: str) -> None:
    """A name with line ends cannot break a list."""
    assert len(inert_line(text).splitlines()) <= 1


def test_ordinary_text_is_left_alone() -> None:
    """Nothing is lost of what people write."""
    text = "assert 'ü' == \"世界\" # 100 % [red] \\x \U0001f600\n\ttabs too"

    assert inert(text) == text


def test_colours_go_and_other_escapes_become_visible() -> None:
    """Colours are noise; a window title is an attack that should be seen."""
    assert inert("\x1b[1;31mred\x1b[0m \x1b]0;title\x07") == "red \\x1b]0;title\\x07"


@pytest.mark.parametrize("command", ["##[error]x", "##vso[task.complete]x", "##teamcity[testFailed name='x']"])
def test_ci_services_see_no_command_within_a_line(command: str) -> None:
    """Azure, TeamCity and old GitHub runners look for these anywhere."""
    assert not inert(f"text {command}").count("##")


def test_a_failure_is_one_inert_block() -> None:
    """Names, messages, sections: each is made inert where it enters."""
    text = failure_text(failed(f"unit::{HOSTILE}", message=HOSTILE, sections=((HOSTILE, HOSTILE),)), plain_line)

    assert "\x1b" not in text
    assert "\x00" not in text
    assert "\u202e" not in text
    assert "reproduce: pytest" in text


def test_output_that_looks_like_a_workflow_command_is_switched_off() -> None:
    """GitHub obeys lines that begin with `::`; between stop-commands and its token it does not."""
    assert guarded("a\n  ::add-mask::x\nb", token="T") == "::stop-commands::T\na\n  ::add-mask::x\nb\n::T::"
    assert guarded("a ::b:: c", token="T") == "a ::b:: c"


def test_each_block_has_a_token_that_no_test_can_know() -> None:
    """Else a test could switch commands on again."""
    first, second = (guarded("::x::").splitlines()[0] for _ in range(2))

    assert first != second


def test_an_annotation_names_file_line_and_message() -> None:
    """The line is the last one of the test's own file that the traceback names."""
    details = "tests/test_a.py:3: in test_x\nlib/other.py:9: in f\ntests/test_a.py:12: AssertionError"
    phase = failed().phases[1].__class__(when="call", outcome="failed", seconds=0.0, details=details)
    line = annotation(failed(phases=(phase,)), lambda _test: "tests/test_a.py")

    title = "failed%3A unit%3A%3Atests/test_a.py%3A%3Atest_x"
    assert line == f"::error file=tests/test_a.py,line=12,title={title}::assert 1 == 2"


def test_an_annotation_is_one_line_whatever_is_in_it() -> None:
    """Percent signs, commas, colons and line ends are escaped as GitHub asks."""
    line = annotation(failed("unit::a,b%::\n::error::", message="x\n::error::y\r%"), lambda test: test)

    assert "\n" not in line
    assert line.count("::error") == 2  # Its own, and the harmless one within the message.
    assert line.endswith("::x%0A::error::y\\x0d%25")
