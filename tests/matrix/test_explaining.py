"""What is told of a row: where its values come from, or which filters dropped it."""

from __future__ import annotations

import pytest

from pipeline.errors import UsageError
from pipeline.logic.matrix.explaining import Dropped, Kept, explain
from pipeline.logic.matrix.matrix import Matrix
from pipeline.logic.matrix.tables import read_tables
from tests.matrix.given import TWO_BY_TWO, matrix

TEXT = """
    mem = 1
    variants os:
        - linux:
            mem += 2
            boot: mem = 9
        - windows:
            no boot
    variants:
        - @boot:
            mem <= 3
        - install:
    only linux, install
"""


def test_a_row_names_the_line_and_the_variant_of_each_value() -> None:
    """With the values that were overwritten, in their order."""
    (kept,) = explain(matrix(TEXT).tree(), "boot.(os=linux)")

    assert isinstance(kept, Kept)
    told = [(each.value, each.variant, each.place.line) for each in kept.settings["mem"]]
    assert told == [
        ("1", "", 2),
        ("12", "(os=linux)", 5),
        ("9", "(os=linux) [boot]", 6),
        ("39", "boot", 11),
    ]
    assert kept.row.values["mem"] == "39"
    assert [(each.value, each.statement) for each in kept.settings["os"]] == [("linux", "os = linux")]


def test_a_dropped_row_names_every_filter_that_drops_it() -> None:
    """Also those in variants, with their lines."""
    (dropped,) = explain(matrix(TEXT).tree(), "boot.(os=windows)")

    assert isinstance(dropped, Dropped)
    assert [(each.said, each.place.line) for each in dropped.reasons] == [("only linux, install", 13), ("no boot", 8)]


def test_short_names_and_bare_variants_are_understood() -> None:
    """As reports show them; a short name may stand for several rows."""
    tree = matrix(TEXT).tree()

    assert [type(each) for each in explain(tree, "linux")] == [Kept]
    assert [type(each) for each in explain(tree, "boot.windows")] == [Dropped]


def test_a_filter_in_a_conditional_block_is_named_only_where_it_holds() -> None:
    """The condition decides."""
    text = "variants:\n    - a:\n    - b:\na:\n    no a\nb:\n    no c\nvariants:\n    - c:\n    - d:\n"
    tree = matrix(text).tree()

    assert [each.said for each in explain(tree, "d.a")[0].reasons] == ["no a"]  # type: ignore[union-attr]
    assert [each.said for each in explain(tree, "c.b")[0].reasons] == ["no c"]  # type: ignore[union-attr]
    assert isinstance(explain(tree, "d.b")[0], Kept)


def test_suffixed_and_joined_rows_are_explained() -> None:
    """Keys are those of the row."""
    text = """
        variants:
            - one:
                k = 1
                suffix _v1
            - two:
                k = 2
                suffix _v2
            - three:
        join one two
    """
    tree = matrix(text).tree()
    (kept,) = explain(tree, "one.two")

    assert isinstance(kept, Kept)
    assert dict(kept.row.values) == {"k_v1": "1", "k_v2": "2"}
    assert {key: each[-1].place.line for key, each in kept.settings.items()} == {"k_v1": 4, "k_v2": 7}
    (dropped,) = explain(tree, "three")
    assert [each.said for each in dropped.reasons] == ["join one two"]  # type: ignore[union-attr]


def test_a_name_that_never_was_is_an_error_with_the_nearest() -> None:
    """A usage error, no traceback."""
    with pytest.raises(UsageError, match=r"no row is called 'boot.linus' \(nearest: .*'boot.\(os=linux\)'|'linux'"):
        explain(matrix(TEXT).tree(), "boot.linus")


def test_one_of_many_billions_is_told_at_once() -> None:
    """Only the branches of that name are walked."""
    stanza = "variants s{0}:\n" + "".join(f"    - v{{0}}_{index}:\n        k{{0}} = {index}\n" for index in range(10))
    text = "".join(stanza.format(number) for number in range(30))
    name = ".".join(f"(s{number}=v{number}_3)" for number in reversed(range(30)))
    (kept,) = explain(matrix(text).tree(), name)

    assert isinstance(kept, Kept)
    assert kept.row.values["k29"] == "3"


def test_rows_of_tables_are_told_by_the_path_of_their_keys() -> None:
    """Tables have no lines."""
    table = {"axes": {"disk": ["ssd", "hdd"]}, "override": [{"when": {"disk": "hdd"}, "set": {"t": 9}}]}
    (kept,) = explain(Matrix(blocks=(read_tables(table, "fleet.toml"),)).tree(), "hdd")

    assert isinstance(kept, Kept)
    assert str(kept.settings["t"][-1].place) == "fleet.toml override[0].set.t"


def test_a_variant_that_a_default_stands_for_is_told() -> None:
    """It is no filter that drops it; where the default has no rows, it is there."""
    text = "variants:\n    - a:\n    - @b:\nvariants:\n    - x:\n    - y:\n        no b\n"
    tree = matrix(text, defaults=True).tree()
    (dropped,) = explain(tree, "x.a")

    assert isinstance(dropped, Dropped)
    assert [(each.said, each.place.line) for each in dropped.reasons] == [("default b", 3)]
    assert [type(explain(tree, name)[0]) for name in ("x.b", "y.a")] == [Kept, Kept]
    assert {row.name for row in matrix(text, defaults=True).rows()} == {"x.b", "y.a"}


def test_a_bounded_value_names_its_bound() -> None:
    """The last statement is the one that made the value."""
    (kept,) = explain(matrix("mem = 4096\nvariants:\n    - a:\n        mem_max = 2048\n").tree(), "a")

    assert isinstance(kept, Kept)
    assert [(each.value, each.statement, each.place.line) for each in kept.settings["mem"]] == [
        ("4096", "mem = 4096", 1),
        ("2048", "mem_max = 2048", 4),
    ]


def test_the_right_words_in_another_order_name_the_row() -> None:
    """Of a whole name and of a short one."""
    text = """
        variants tool:
            - lz4:
            - xz:
        variants size:
            - b5:
            - b6:
        variants:
            - @plain:
            - write:
    """
    tree = matrix(text).tree()

    with pytest.raises(
        UsageError, match=r"called 'lz4.b5.write'; 'write.\(size=b5\).\(tool=lz4\)' has these words in ano"
    ):
        explain(tree, "lz4.b5.write")
    with pytest.raises(UsageError, match=r"no row is called 'xz.b6'; 'b6.xz' has these words in another order"):
        explain(tree, "xz.b6")
    with pytest.raises(UsageError, match=r"no row is called 'xz.b6.b6'"):
        explain(tree, "xz.b6.b6")


def test_a_filter_means_all_that_meet_it() -> None:
    """Those that run and those that do not; a name goes before; of too many none is told."""
    tree = matrix(TWO_BY_TWO, "no windows..boot").tree()

    told = [(one.row.name, True) if isinstance(one, Kept) else (one.name, False) for one in explain(tree, "boot")]
    both = explain(tree, "linux..install, windows..install")

    assert told == [("boot.(os=linux)", True), ("boot.(os=windows)", False)]
    assert len(both) == 2
    many = "variants a:\n" + "".join(f"    - v{n}:\n" for n in range(101)) + "variants:\n    - x:\n    - y:\n"
    with pytest.raises(UsageError, match="more than 100 rows meet 'x'"):
        explain(matrix(many).tree(), "x")
