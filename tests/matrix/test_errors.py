"""What cannot be meant is refused with file and line, and says what may have been meant."""

from __future__ import annotations

import pytest

from pipeline.errors import EXIT_USAGE
from pipeline.logic.matrix.matrix import Matrix
from pipeline.logic.matrix.places import MatrixError
from pipeline.logic.matrix.reading import read_text
from tests.matrix.given import TWO_BY_TWO, matrix, names, rows


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("just words", "neither an operator nor a colon"),
        ("= value", "assigns to nothing"),
        ("only", "neither an operator nor a colon"),
        ("only # nothing", "a filter without a name"),
        ("only a...b", "not well formed at 'b'"),
        ("only a.", "ends with a dot"),
        ("only .a", "not well formed at '.a'"),
        ("only a..,b", "ends with a dot"),
        ("only , a", "comma with nothing before it"),
        ("only ${os}", "refers to a value"),
        ("only (a|b", "no regular expression"),
        ("no [x", "no regular expression"),
        ("- a:", "a variant outside 'variants:'"),
        ("variants tests$:", "no heading of variants"),
        ("variants a b:", "no heading of variants"),
        ("variants a [default]:", "names no variant"),
        ("variants", "neither an operator nor a colon"),
        ("subvariants:", "not read any more"),
        ("include other.cfg", "this text comes without files"),
        ("suffix a.b", "is not of letters"),
        ("del a b", "deletes no single key"),
        ("del # a", "deletes no single key"),
        ("del (", "no regular expression for keys"),
        ("( ?= 1", "no regular expression for keys"),
        ("a:\n    variants:\n        - b:", "'variants' may not stand in a conditional block"),
        ("a:\n    join b", "'join' may not stand in a conditional block"),
        ("variants:\n    - a$:", "is no variant"),
        ("variants:\n    - a..b:", "is no variant"),
        ("variants:\n    x = 1", "is no variant"),
        ("variants:\n- a:", "a variant outside 'variants:'"),
        ("variants:\n    - a: b*c", "is no list of variant names"),
        ("variants [default=b]:\n    - a:", "default 'b' is no variant here"),
    ],
)
def test_malformed_lines(line: str, message: str) -> None:
    """The message begins with the file and the line, and ends with what to write."""
    with pytest.raises(MatrixError, match=message) as error:
        read_text(f"ok = 1\n{line}\n", "tests.cfg")

    assert str(error.value).startswith("tests.cfg:")
    assert error.value.place.line in range(2, 5)
    assert error.value.exit_code == EXIT_USAGE


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("only linus", r"<string>:1: filter 'only linus' matches nothing \(nearest: 'linux'\)"),
        ("only linux, bot", r"<string>:1: filter 'bot' in 'only linux, bot' matches nothing \(nearest: 'boot'\)"),
        ("no windos", r"filter 'no windos' matches nothing \(nearest: 'windows'\)"),
        ("only (os=boot)", r"filter 'only \(os=boot\)' matches nothing"),
        ("only linux.boot", "filter 'only linux.boot' matches nothing"),
        ("no linux.boot", "filter 'no linux.boot' matches nothing"),
        ("only linux..windows", "filter 'only linux..windows' matches nothing"),
        ("only lin.*boot", "filter 'only lin.*boot' matches nothing"),
        ("join boot nothing", "filter 'nothing' in 'join boot nothing' matches nothing"),
    ],
)
def test_a_filter_that_matches_nothing(wanted: str, message: str) -> None:
    """Names the filter, its line, and the nearest variants; an order that no name has counts as nothing too."""
    with pytest.raises(MatrixError, match=message):
        rows(TWO_BY_TWO, wanted)


def test_a_filter_between_stanzas_is_one_on_all_rows() -> None:
    """Wherever it stands outside of variants; it may name what stands below it."""
    text = "variants:\n    - a:\n    - b:\n{}\nvariants:\n    - x:\n    - y:\n"

    assert names(text.format("only a..x")) == ["x.a"]
    with pytest.raises(
        MatrixError, match=r"<string>:4: filter 'c' in 'no a.x, c' matches nothing|'a.x' in 'no a.x, c'"
    ):
        rows(text.format("no a.x, c"))


def test_all_mistakes_are_told_at_once() -> None:
    """One run, one list."""
    with pytest.raises(MatrixError, match=r"(?s)'no windos'.*<string>:2: filter 'only bot'"):
        rows(TWO_BY_TWO, "no windos\nonly bot\n")


def test_what_another_filter_dropped_already_is_no_mistake() -> None:
    """Each filter is judged alone."""
    assert names(TWO_BY_TWO, "only boot\nno install\n") == ["boot.(os=linux)", "boot.(os=windows)"]


def test_filters_that_leave_nothing_together_name_the_one_that_took_the_last() -> None:
    """With its line."""
    with pytest.raises(
        MatrixError, match=r"<string>:2: filter 'only install' leaves no row, together with the filters before"
    ):
        rows(TWO_BY_TWO, "only boot\nonly install\nno windows\n")


def test_filters_inside_variants_may_leave_nothing() -> None:
    """Then no filter on all rows is blamed."""
    with pytest.raises(MatrixError, match="filters inside variants leave no row"):
        rows("variants:\n    - a:\n        no x\nvariants:\n    - x:\n")


def test_a_variant_that_can_never_be_is_an_error() -> None:
    """An inner `only` of which no side is known drops every row of its variant."""
    with pytest.raises(MatrixError, match=r"<string>:3: filter 'only linus' matches nothing \(nearest: 'linux'\)"):
        rows("variants:\n    - a:\n        only linus\n    - b:\nvariants:\n    - linux:\n")


def test_remarks_are_errors_when_strict() -> None:
    """Old files name what other files bring: conditions, inner filters, dependencies; `strict` refuses them."""
    text = """
        variants:
            - a: gone
                no lost
            - b:
        missed: k = 1
    """
    said = [str(each) for each in matrix(text).remarks()]

    assert len(list(matrix(text).rows())) == 2
    assert sorted(each.split(" (")[0] for each in said) == [
        "condition 'missed' matches nothing",
        "dependency 'gone' names no variant",
        "filter 'no lost' matches nothing",
    ]
    with pytest.raises(MatrixError, match="'missed'"):
        list(matrix(text, strict=True).rows())


def test_two_rows_of_one_name_are_refused() -> None:
    """A name is a test's id."""
    with pytest.raises(MatrixError, match=r"two rows are called 'a'"):
        rows("variants:\n    - a:\n        k = 1\n    - a:\n        k = 2\n")


def test_files_that_include_each_other_are_an_error() -> None:
    """Not an endless loop."""
    with pytest.raises(MatrixError, match="files include each other"):
        read_text("include b", "a", lambda path, place: (path, "include b\n"))


def test_a_matrix_of_nothing_has_one_row_without_a_name() -> None:
    """Values without variants are one combination."""
    (row,) = Matrix(blocks=(read_text("k = 1\n"),)).rows()

    assert (row.name, dict(row.values)) == ("", {"k": "1"})
