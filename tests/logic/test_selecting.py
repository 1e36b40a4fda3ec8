"""Node ids select tests: whole, or by what stands above them."""

from __future__ import annotations

import pytest

from pipeline.errors import UsageError
from pipeline.logic.selecting import select
from tests.logic.suites import a_test

TESTS = (
    a_test("TestA::test_x[a::b/c[1]]", file="it/deep/test_a.py"),
    a_test("TestA::test_xy", file="it/deep/test_a.py"),
    a_test("test_z", file="it/test_b.py"),
    a_test("test_z", file="test_c.py", suite="other"),
)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("unit::it/deep/test_a.py::TestA::test_x[a::b/c[1]]", [0]),
        ("it/deep/test_a.py::TestA::test_x[a::b/c[1]]", [0]),
        ("it/deep/test_a.py::TestA::test_x", [0]),
        ("it/deep/test_a.py::TestA", [0, 1]),
        ("unit::it/deep/test_a.py::TestA", [0, 1]),
        ("it/deep/test_a.py", [0, 1]),
        ("it/deep", [0, 1]),
        ("it", [0, 1, 2]),
        ("other::test_c.py", [3]),
    ],
)
def test_an_id_selects_what_it_stands_above(wanted: str, found: list[int]) -> None:
    """Folder, file, class, test without parameters, test; with and without the suite."""
    assert select(TESTS, [wanted]) == tuple(TESTS[at] for at in found)


def test_nothing_wanted_selects_all() -> None:
    """Only what is unwanted goes."""
    assert select(TESTS, None, ["it"]) == TESTS[3:]


def test_an_empty_list_selects_nothing() -> None:
    """A list of failures without failures is not the whole suite."""
    assert select(TESTS, []) == ()


def test_unwanted_goes_before_wanted() -> None:
    """A file can be excepted from a folder."""
    assert select(TESTS, ["it"], ["it/test_b.py"]) == TESTS[:2]


@pytest.mark.parametrize("unknown", ["it/test_b.py::test_zz", "dee", "it/deep/test_a.py::TestA::test_x[a"])
def test_an_id_of_no_test_is_refused(unknown: str) -> None:
    """A typo must not run fewer tests in silence."""
    with pytest.raises(UsageError, match="no test is called"):
        select(TESTS, [unknown, "it"])


def test_a_typo_gets_a_suggestion() -> None:
    """The nearest id is named."""
    with pytest.raises(UsageError, match="did you mean 'it/test_b.py::test_z'"):
        select(TESTS, ["it/test_b.py::test_q"])
