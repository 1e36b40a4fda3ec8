"""Types of rows' values: what is taken, how it is spelled for commands, what is refused."""

from __future__ import annotations

import pytest

from extensions import matrix_kinds
from pipeline.errors import UsageError
from pipeline.frameworks import command_types
from pipeline.frameworks.command_types import Type, typed
from pipeline.model.commands import Row


def nowhere(row: str, value: str) -> str:
    """Nobody knows where it was written."""
    return ""


@pytest.mark.parametrize(
    ("kind", "text", "spelled"),
    [
        ("text", "a b", "a b"),
        ("whole", "-07", "-7"),
        ("number", " 1e3", "1e3"),
        ("size", "2Gi", "2147483648"),
        ("size", "512", "512"),
        ("duration", "1h30m", "5400"),
        ("duration", "0.5", "0.5"),
        ("duration", "40d", "3456000"),
        ("duration", "12345678.5", "12345678.5"),
        ("boolean", "Yes", "true"),
        ("boolean", "off", "false"),
        (("ide", "virtio"), "ide", "ide"),
    ],
)
def test_a_value_is_spelled_as_its_type_says(kind: Type, text: str, spelled: str) -> None:
    """Other values stay as they are."""
    (row,) = typed("bench", [Row(name="a", values={"x": text, "y": "1Gi"})], {"x": kind}, nowhere)

    assert row.values == {"x": spelled, "y": "1Gi"}


@pytest.mark.parametrize(
    ("kind", "text", "told"),
    [
        ("whole", "1.5", "not a whole number"),
        ("number", "much", "not a number"),
        ("number", "nan", "not a number"),
        ("size", "2 litres", "not a size"),
        ("duration", "", "not a duration"),
        ("boolean", "perhaps", "not yes or no"),
        (("ide", "virtio"), "scsi", "not one of ide, virtio"),
    ],
)
def test_what_is_of_another_type_is_refused(kind: Type, text: str, told: str) -> None:
    """By row, value and place."""
    rows = [Row(name="a"), Row(name="b", values={"x": text})]
    with pytest.raises(UsageError, match=f"^tests.cfg:7: suite 'bench': value 'x' of row 'b' is '.*', {told}"):
        typed("bench", rows, {"x": kind}, lambda row, value: "tests.cfg:7")


def test_a_type_of_what_no_row_has_is_refused() -> None:
    """Mostly a typo."""
    with pytest.raises(UsageError, match="types has 'memry', but no row has such a value .nearest: 'memory'"):
        command_types.check_names("bench", {"memry": "size"}, {"memory"})


def test_settings_know_the_same_types() -> None:
    """They say the names without importing what checks values."""
    assert matrix_kinds.NAMES == command_types.NAMES
