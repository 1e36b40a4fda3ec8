"""Which rows wait for which."""

from __future__ import annotations

import pytest

from pipeline.errors import UsageError
from pipeline.logic.matrix.dependencies import waits_of
from tests.matrix.given import matrix

TEXT = """
    variants:
        - qcow2:
        - raw:
    variants:
        - install:
        - boot: install
    variants:
        - linux:
        - windows:
"""


def waits(*texts: str) -> dict[str, tuple[str, ...]]:
    """For each row with dependencies, what it waits for."""
    made = matrix(*texts)
    return waits_of(made.tree(), list(made.rows()))


def test_a_row_waits_within_its_outer_combination() -> None:
    """For every row that begins with the dependency."""
    assert waits(TEXT, "only linux, windows..raw") == {
        "linux.boot.qcow2": ("linux.install.qcow2", "linux.install.raw"),
        "linux.boot.raw": ("linux.install.qcow2", "linux.install.raw"),
        "windows.boot.raw": ("windows.install.raw",),
    }


def test_rows_that_were_filtered_away_bind_nobody() -> None:
    """A smaller selection stays runnable."""
    assert waits(TEXT, "no install") == dict.fromkeys(waits(TEXT), ())


def test_a_dependency_that_no_row_ever_was_is_an_error() -> None:
    """With the row that asks for it."""
    with pytest.raises(UsageError, match="row 'boot' depends on 'instal', which no row is called"):
        waits("variants:\n    - install:\n    - boot: instal\n")


def test_rows_that_wait_for_each_other_are_an_error() -> None:
    """The circle is named."""
    with pytest.raises(UsageError, match="rows wait for each other: (a -> b -> a|b -> a -> b)"):
        waits("variants:\n    - a: b\n    - b: a\n")


def test_a_dependency_may_go_on_into_inner_stanzas() -> None:
    """`rtl8139.install` as the sample of 2009 has it; a variant of another stanza alone is none."""
    text = "variants:\n    - install:\n    - boot:\nvariants:\n    - rtl:\n    - virtio: {}\n        no install\n"

    assert waits(text.format("rtl.install")) == {"virtio.boot": ("rtl.install",)}
    with pytest.raises(UsageError, match="row 'virtio.boot' depends on 'install', which no row is called"):
        waits(text.format("install"))
