"""The same rows from tables."""

from __future__ import annotations

import tomllib

import pytest

from pipeline.logic.matrix.matrix import Matrix
from pipeline.logic.matrix.places import MatrixError
from pipeline.logic.matrix.reading import read_text
from pipeline.logic.matrix.rows import Row
from pipeline.logic.matrix.tables import read_tables

TEXT = """
axes.size = { small = { memory = "2Gi" }, large = { memory = "8Gi" } }
axes.disk = ["ssd", "hdd"]
values.image = "fio:3"
exclude = [{ size = "large", disk = "hdd" }]
include = [{ size = "huge", disk = "nvme", memory = "16Gi" }]
override = [{ when = { disk = ["hdd", "nvme"] }, set = { timeout = 60 } }]
"""


def rows(toml: str, *selections: str) -> list[Row]:
    """The rows of a table and of filters in text."""
    blocks = (read_tables(tomllib.loads(toml), "fleet.toml matrix"), *map(read_text, selections))
    return list(Matrix(blocks=blocks).rows())


def test_axes_multiply_in_their_order() -> None:
    """The first is leftmost and varies slowest; excluded ones are gone, included ones come last."""
    assert [(row.shortname, dict(row.values)) for row in rows(TEXT)] == [
        ("small.ssd", {"image": "fio:3", "size": "small", "disk": "ssd", "memory": "2Gi"}),
        ("small.hdd", {"image": "fio:3", "size": "small", "disk": "hdd", "memory": "2Gi", "timeout": "60"}),
        ("large.ssd", {"image": "fio:3", "size": "large", "disk": "ssd", "memory": "8Gi"}),
        ("huge.nvme", {"image": "fio:3", "size": "huge", "disk": "nvme", "memory": "16Gi", "timeout": "60"}),
    ]


def test_filters_in_text_select_from_tables() -> None:
    """Both forms are one matrix."""
    assert [row.name for row in rows(TEXT, "only (size=huge), hdd")] == [
        "(size=small).(disk=hdd)",
        "(size=huge).(disk=nvme)",
    ]


def test_values_that_cannot_be_names_keep_their_text() -> None:
    """A name has letters, digits, `_` and `-`; the value is what was written."""
    found = rows("axes.rate = [0.5, 1, true, '4 k']")

    assert [(row.shortname, row.values["rate"]) for row in found] == [
        ("0-5", "0.5"),
        ("1", "1"),
        ("true", "true"),
        ("4-k", "4 k"),
    ]


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ("", "matrix without axes"),
        ("axis.a = [1]", r"unknown key 'axis' \(nearest: 'axes'\)"),
        ("axes.a = 'x'", "'x' is neither values nor variants"),
        ("axes.a = []", "neither values nor variants"),
        ("axes.a = ['x y', 'x-y']", "have the same name"),
        ("axes.'a b' = [1]", "axis 'a b' is not of letters"),
        ("axes.a = { x = 1 }", "1 is no table"),
        ("axes.a = [[1]]", "neither text, number"),
        ("axes.a = ['']", "empty value"),
        ("axes.a = ['x']\nexclude = [{ b = 1 }]", r"no axis is called 'b'"),
        ("axes.a = ['xray']\nexclude = [{ a = 'xrey' }]", r"axis 'a' has no value 'xrey' \(nearest: 'xray'\)"),
        ("axes.a = ['x']\nexclude = [{}]", "empty table"),
        ("axes.a = ['x']\nexclude = { a = 'x' }", "is a list of tables"),
        ("axes.a = ['x']\naxes.b = ['y']\ninclude = [{ a = 'z' }]", "none of 'b'"),
        ("axes.a = ['x']\noverride = [{ when = { a = 'x' } }]", "an override has 'when' and 'set'"),
        ("axes.a = ['x']\ninclude = [{ a = 'x' }]", "two rows are called"),
    ],
)
def test_mistakes_are_named_with_their_key(toml: str, message: str) -> None:
    """With the path of the key and what may have been meant."""
    with pytest.raises(MatrixError, match=message):
        rows(toml)
