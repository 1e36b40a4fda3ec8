"""Test-group files hold one id a line, and any id can be read back."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import UsageError
from pipeline.logic.group_files import format_ids, group_files, parse_ids
from pipeline.model.tests import Test
from tests.logic.suites import planned, suites


@given(st.lists(st.text(st.characters())))
def test_any_ids_are_read_back(ids: list[str]) -> None:
    """Newlines, quotes and spaces in parameters do no harm."""
    assert parse_ids(format_ids(ids)) == tuple(ids)


@given(st.lists(st.text(st.characters())))
def test_an_id_is_one_line_that_can_be_written_as_utf_8(ids: list[str]) -> None:
    """Tools that read by lines see as many as there are tests."""
    text = format_ids(ids)

    assert len(text.splitlines()) == len(ids)
    assert text.encode("utf-8").decode("utf-8") == text


def test_an_ordinary_id_is_written_as_it_is() -> None:
    """People can copy a line."""
    name = "unit::tests/a.py::TestÄ::test_b[x=1 \\n-é]"

    assert format_ids([name]) == f"{name}\n"


@settings(max_examples=30)
@given(suites(), st.integers(1, 5))
def test_the_files_hold_every_test_in_running_order(tests: list[Test], workers: int) -> None:
    """A file per bucket, all together the plan."""
    plan = planned(tests, workers)
    files = group_files(plan)

    assert list(files) == [f"test-group-{at}" for at in range(len(plan.buckets))]
    for text, bucket in zip(files.values(), plan.buckets, strict=True):
        assert parse_ids(text) == tuple(plan.tests[at].id for n in bucket for at in plan.batches[n].tests)


def test_empty_lines_and_windows_line_ends_do_no_harm() -> None:
    """People write such files too."""
    assert parse_ids("a\r\n\n  \nb") == ("a", "b")


@pytest.mark.parametrize("line", ['"a', '"a" b'])
def test_a_broken_line_is_named(line: str) -> None:
    """The message says which line."""
    with pytest.raises(UsageError, match="line 2"):
        parse_ids(f"a\n{line}\n")
