"""Which rows come of stanzas and filters, and in which order."""

from __future__ import annotations

from itertools import islice

import pytest

from tests.matrix.given import TWO_BY_TWO, matrix, names, rows


def test_stanzas_multiply_and_later_ones_stand_first() -> None:
    """The stanza that was written last varies slowest and is leftmost in the name."""
    assert names(TWO_BY_TWO) == [
        "boot.(os=linux)",
        "boot.(os=windows)",
        "install.(os=linux)",
        "install.(os=windows)",
    ]


def test_short_names_leave_axes_and_marked_variants_out() -> None:
    """`@` keeps a variant out of the short name only."""
    (row,) = rows("variants os:\n    - linux:\nvariants:\n    - @up:\n    - smp:\nonly up\n")

    assert (row.name, row.shortname) == ("up.(os=linux)", "linux")


def test_an_axis_is_a_value() -> None:
    """A named stanza sets a key of its name."""
    assert [row.values["os"] for row in rows(TWO_BY_TWO, "only boot")] == ["linux", "windows"]


def test_dotted_variants_are_several_labels() -> None:
    """`- Fedora.14:` is met by `Fedora.14`, `14` and `Fedora`."""
    text = "variants:\n    - Fedora.14:\n    - Fedora.15:\n"

    assert [names(text, f"only {wanted}") for wanted in ("Fedora.14", "14", "Fedora")] == [
        ["Fedora.14"],
        ["Fedora.14"],
        ["Fedora.14", "Fedora.15"],
    ]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("only a", ["a.x", "a.y"]),
        ("only a, b..y", ["a.x", "a.y", "b.y"]),
        ("only a b", ["a.x", "a.y", "b.x", "b.y"]),
        ("only x..b", ["b.x"]),
        ("only b.x", ["b.x"]),
        ("only (in=x)..a", ["a.x"]),
        ("no a", ["b.x", "b.y"]),
        ("no a..x, b..y", ["a.y", "b.x"]),
        ("only a|b\nno b.*y", ["a.x", "a.y", "b.x"]),
        ("only a..x  # a remark", ["a.x"]),
    ],
)
def test_filters_choose_by_whole_names(wanted: str, found: list[str]) -> None:
    """`,` and blanks mean or, `..` and in any order, `.` immediately followed by, `|` and `.*` as in 2009."""
    text = "variants in:\n    - x:\n    - y:\nvariants:\n    - a:\n    - b:\n"

    assert [name.replace("(in=", "").replace(")", "") for name in names(text, wanted)] == found


def test_a_filter_in_a_variant_sees_stanzas_above_and_below() -> None:
    """What a variant excludes is excluded wherever it stands in the file."""
    text = "variants:\n    - a:\n        no y\n    - b:\nvariants:\n    - x:\n    - y:\n        no b\n"

    assert names(text) == ["x.a", "x.b"]


def test_conditions_hold_for_the_names_that_meet_them() -> None:
    """A conditional block may set, filter and hold other blocks; `!` turns it round."""
    text = """
        variants:
            - a:
            - b:
        variants:
            - x:
            - y:
        a..x: k = 1
            y: never = 1
        !a:
            k = 2
            no y
    """

    assert [(row.name, dict(row.values)) for row in rows(text)] == [
        ("x.a", {"k": "1"}),
        ("x.b", {"k": "2"}),
        ("y.a", {}),
    ]


def test_a_condition_may_name_an_axis() -> None:
    """`(os=linux):` is a condition, not a key."""
    assert [row.values.get("k") for row in rows(TWO_BY_TWO, "(os=linux)..boot: k = 1")] == ["1", None, None, None]


def test_defaults_take_one_variant_where_it_has_rows() -> None:
    """With defaults, a stanza yields its default only; an expanded axis yields all; a default that is dropped yields to others."""
    text = "variants cpu:\n    - one:\n    - @two:\nvariants disk [default=ide]:\n    - scsi:\n    - ide:\n"

    assert [row.shortname for row in rows(text, defaults=True)] == [""]
    assert [row.name for row in rows(text, defaults=True)] == ["(disk=ide).(cpu=two)"]
    assert len(rows(text, defaults=True, expanded=("cpu",))) == 2
    assert [row.name for row in rows(text, "no ide", defaults=True)] == ["(disk=scsi).(cpu=two)"]


def test_dependencies_belong_to_the_same_outer_combination() -> None:
    """`- boot: install` in an inner stanza depends on the install of the same outer variant."""
    text = "variants:\n    - install:\n    - boot: install\nvariants:\n    - a:\n    - b:\n"

    assert [row.dependencies for row in rows(text, "only boot")] == [("a.install",), ("b.install",)]


def test_a_join_makes_one_row_of_several() -> None:
    """Values of both with their suffixes, one name."""
    text = """
        variants:
            - one:
                k = 1
                same = s
                suffix _v1
            - two:
                k = 2
                same = s
                suffix _v2
            - three:
        join one two
    """
    (row,) = rows(text)

    assert row.name == "one.two"
    assert dict(row.values) == {"k_v1": "1", "k_v2": "2", "same": "s"}


def test_joined_names_have_what_they_share_once() -> None:
    """Up to the last dot; also with axes, and when both are the same."""
    stanza = "variants:\n    - one:\n    - two:\nvariants os:\n    - linux:\n    - windows:\n"

    assert names(stanza, "join linux..one linux..two") == ["(os=linux).one.two"]
    assert names(stanza, "join one two\nonly linux") == ["(os=linux).one.two"]
    assert names(stanza, "join linux..one linux..one") == ["(os=linux).one.one"]


def test_joins_inside_a_joined_branch_are_carried_out_each_time() -> None:
    """All pairs of pairs."""
    inner = (
        "variants:\n    - x:\n    - y:\nvariants:\n    - a:\n        join x y\n    - b:\n        join x y\njoin a b\n"
    )

    assert names(inner) == ["a.x.y.b.x.y"]


def test_a_join_keeps_the_dependencies_of_both() -> None:
    """Nothing that one of them waits for is forgotten."""
    (row,) = rows("variants:\n    - base:\n    - one: base\n    - two: base\njoin one two\n")

    assert row.dependencies == ("base",)


def test_a_billion_rows_cost_nothing_until_they_are_asked_for() -> None:
    """Rows come one by one, and a dropped branch is never entered."""
    stanza = "variants s{0}:\n" + "".join(f"    - v{{0}}_{index}:\n" for index in range(10))
    text = "".join(stanza.format(number) for number in range(40))
    wanted = "only " + "..".join(f"v{number}_3" for number in range(40))

    assert len(list(islice(matrix(text).rows(), 5))) == 5
    assert len(names(text, wanted)) == 1


def test_texts_go_on_from_each_other() -> None:
    """A second text is as if it stood at the end of the first."""
    assert names(TWO_BY_TWO, "variants:\n    - late:\n", "only boot") == [
        "late.boot.(os=linux)",
        "late.boot.(os=windows)",
    ]


def test_a_stanza_without_variants_is_a_placeholder() -> None:
    """Avocado-VT's own files have one; what stands before it stays."""
    text = "variants:\n    - x:\n    - y:\nvariants:\n    - a:\n        variants:\n    - b:\n"

    assert names(text) == ["a.x", "a.y", "b.x", "b.y"]
