"""Tables and maps in another system's words: copied, checked at their top, read from text, joined over layers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pipeline.settings.collected import Sequence
from pipeline.settings.foreign import Table, TextMap
from pipeline.settings.kinds import Context, WrongValue

CONTEXT = Context(Path("/project"))
TAINT = Table("a taint", ("key", "value"), needs=("key",))
TAINTS = Sequence(TAINT, form="a list of taints")
FREE = Table("a table")
LABELS = TextMap("a table of labels", lambda name, value: "" if name.islower() else f"{name!r} is no label")


@pytest.mark.parametrize(
    ("text", "expected"),
    [('{ key = "a" }', {"key": "a"}), ('{"key": "a", "value": null}', {"key": "a", "value": None})],
)
def test_a_table_is_read_as_toml_or_json(text: str, expected: dict[str, Any]) -> None:
    """From the command line and the environment; shown, it is JSON again."""
    value = TAINT.parse(TAINT.read(text), CONTEXT)

    assert value == expected
    assert TAINT.parse(TAINT.read(TAINT.show(value)), CONTEXT) == value
    assert TAINT.parse(value, CONTEXT) == value
    jsonschema.validate(value, TAINT.schema(CONTEXT))


def test_a_list_of_tables_is_read_as_a_toml_array() -> None:
    """Each of its own."""
    assert TAINTS.parse(TAINTS.read('[{ key = "a" }, { key = "b" }]'), CONTEXT) == ({"key": "a"}, {"key": "b"})


def test_whoever_gave_a_table_cannot_change_it_later() -> None:
    """It is copied whole."""
    given: dict[str, Any] = {"a": {"b": [1]}}
    value = FREE.parse(given, CONTEXT)
    given["a"]["b"].append(2)

    assert value == {"a": {"b": [1]}}


@pytest.mark.parametrize(
    ("kind", "value", "told"),
    [
        (TAINT, {"kee": "a"}, "unknown field 'kee' .did you mean 'key'"),
        (TAINT, {"value": "a"}, "it has no 'key'"),
        (TAINT, "a", "expected a taint"),
        (TAINTS, [{"key": "a"}, {"kee": "b"}], "did you mean 'key'"),
        (FREE, {"a": {1, 2}}, "is no value of JSON"),
        (FREE, [("a", 1)], "expected a table"),
        (LABELS, {"UP": "x"}, "'UP' is no label"),
        (LABELS, {"a": 1}, "expected a table of labels"),
        (LABELS, "a", "expected a table of labels"),
    ],
)
def test_what_cannot_be_is_refused(kind: Any, value: object, told: str) -> None:
    """With what was expected."""
    with pytest.raises(WrongValue, match=told):
        kind.parse(value, CONTEXT)


def test_a_map_is_read_as_pairs_or_a_table() -> None:
    """And laid over lower layers key by key."""
    pairs, table = LABELS.parse(LABELS.read("a=b, c=d=e"), CONTEXT), LABELS.parse(LABELS.read('{ a = "x" }'), CONTEXT)

    assert pairs == {"a": "b", "c": "d=e"}
    assert LABELS.join(pairs, table) == {"a": "x", "c": "d=e"}
    assert LABELS.show(table) == "{a=x}"
    with pytest.raises(WrongValue):
        LABELS.parse(LABELS.read("a"), CONTEXT)
