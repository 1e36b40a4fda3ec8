"""What statements make of values."""

from __future__ import annotations

import pytest

from pipeline.errors import UsageError
from tests.matrix.given import rows, values


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("k = 1\nk = 2", "2"),
        ("k = 1\nk += 2", "12"),
        ("k = 1\nk <= 2", "21"),
        ("k = 1\nk ~= 2", "1"),
        ("k ~= 2", "2"),
        ("k += 2", "2"),
        ("k = 1\nk|other ?= 2", "2"),
        ("k = 1\n. ?+= 2", "12"),
        ("k = 1\n[a-z] ?<= 2", "21"),
        ("k = a = b", "a = b"),
        ("k = 'a b '", "a b "),
        ('k = "a"b"', 'a"b'),
        ("k = 'a\"", "'a\""),
        ("k = a # no remark", "a # no remark"),
        ("k =", ""),
        ("k = x:y", "x:y"),
        ("o = 1\nk = <${o}>", "<1>"),
        ("o = 1\nk = ${none}${o}", "${none}${o}"),
        ("o = 1\nk = ${o}${none}${o}", "1${none}${o}"),
        ("o = 1\nk = $o", "$o"),
        ("o = 1\nk = ${o}\no = 2", "1"),
    ],
)
def test_operators(text: str, value: str) -> None:
    """Set, append, prepend, set when absent, the same for keys that match in full, and `${key}` as it is at that moment."""
    assert values(text)["k"] == value


def test_patterns_match_keys_in_full_and_make_none() -> None:
    """`?=` touches what is there, nothing else."""
    assert values("mem = 1\nmem_max_x = 1\nme ?= 2\nmem_.* ?= 3\nnew.* ?= 4") == {"mem": "1", "mem_max_x": "3"}


def test_deletion_takes_every_key_that_matches() -> None:
    """`del` is a pattern too."""
    assert values("a1 = 1\na2 = 1\nb = 1\ndel a.") == {"b": "1"}


def test_names_are_known_to_references_and_cannot_be_assigned() -> None:
    """`${name}` is the row's; an assignment to it is passed over."""
    (row,) = rows("variants:\n    - a:\n        name = x\n        k = ${name}/${shortname}\n")

    assert (row.name, dict(row.values)) == ("a", {"k": "a/a"})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("mem = 4096\nmem_max = 2048", "2048"),
        ("mem = 1024\nmem_max = 2048", "1024"),
        ("mem = 1G\nmem_max = 512M", "512M"),
        ("mem = 1024\nmem_min = 2G", "2G"),
        ("mem = 1\nmem_fixed = 7", "7"),
        ("mem_min = 5", "5"),
    ],
)
def test_bounds(text: str, value: str) -> None:
    """`_max` and `_min` bound a value, `_fixed` replaces it; a number without a unit beside a size is in M."""
    assert values(text)["mem"] == value


def test_a_bound_that_cannot_be_compared_is_an_error_with_its_line() -> None:
    """Not a traceback."""
    with pytest.raises(UsageError, match=r"<string>:2: 'mem_max = lots' cannot be compared with '1'"):
        values("mem = 1\nmem_max = lots")


def test_tabs_are_eight_columns() -> None:
    """Indentation by tabs and by blanks may meet."""
    assert values("variants:\n\t- a:\n                k = 1\n") == {"k": "1"}


def test_comments_and_blank_lines_say_nothing() -> None:
    """`#` and `//` at the beginning of a line, whatever its indentation."""
    assert values("# a\n   // b\n\nk = 1\n    #c\n") == {"k": "1"}


def test_a_suffix_stays_only_where_values_differ() -> None:
    """Equal values go under the plain key; the last suffix stands first."""
    assert values("variants:\n    - a:\n        k = 1\n        suffix _x\n        m = 2\nk = 3\n") == {
        "k": "3",
        "k_x": "1",
        "m": "2",
    }


def test_inner_statements_apply_before_outer_ones() -> None:
    """In the order of the file, whatever order the names have."""
    assert values("k = a\nvariants:\n    - v:\n        k += b\nk += c\n") == {"k": "abc"}
