"""Kinds check values, read text, take their own results, and describe themselves to editors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pipeline.settings import kinds
from pipeline.settings.choice import Choice
from pipeline.settings.collected import interpreters, texts, variables
from pipeline.settings.kinds import Context, Kind, WrongValue
from pipeline.settings.location import location
from pipeline.settings.secret import HIDDEN, Secret

CONTEXT = Context(Path("/project"), {"launchers": lambda: ["cloud"], "stores": lambda: ["s3"]})
LAUNCHER = Choice("local", open_set="launchers")

GOOD: list[tuple[Kind[Any], object, Any]] = [
    (kinds.text, "x", "x"),
    (kinds.boolean, True, True),
    (kinds.whole, 0, 0),
    (kinds.count, "auto", "auto"),
    (kinds.count, 3, 3),
    (kinds.switch, False, False),
    (kinds.limit, True, 1),
    (kinds.limit, False, 0),
    (kinds.limit, 4, 4),
    (kinds.duration, "5m", 300.0),
    (kinds.size, "2Gi", 2 << 30),
    (kinds.Optional(kinds.duration), "off", None),
    (kinds.Optional(kinds.duration), 5, 5.0),
    (kinds.path, "build", Path("/project/build")),
    (kinds.path, "/abs", Path("/abs")),
    (LAUNCHER, "cloud", "cloud"),
    (texts, ["a", "b"], ("a", "b")),
    (interpreters, "3.12", ("3.12",)),
    (interpreters, ["3.12", "3.8"], ("3.12", "3.8")),
    (variables, {"A": {"secret": "db"}}, {"A": Secret("db")}),
    (location, "s3://b/p", "s3://b/p"),
    (location, "runs", "/project/runs"),
]


@pytest.mark.parametrize(("kind", "value", "expected"), GOOD)
def test_a_good_value_is_taken_and_its_result_too(kind: Kind[Any], value: object, expected: object) -> None:
    """Providers hand on typed values, so a kind takes what it made; editors accept the raw one."""
    parsed = kind.parse(value, CONTEXT)

    assert parsed == expected
    assert kind.parse(parsed, CONTEXT) == expected
    jsonschema.validate(value, kind.schema(CONTEXT))


BAD: list[tuple[Kind[Any], object]] = [
    (kinds.text, 3),
    (kinds.boolean, "true"),
    (kinds.boolean, 1),
    (kinds.whole, True),
    (kinds.whole, -1),
    (kinds.whole, 1.5),
    (kinds.count, "all"),
    (kinds.duration, "soon"),
    (kinds.size, "huge"),
    (kinds.Optional(kinds.duration), "never"),
    (kinds.path, ""),
    (kinds.path, 3),
    (LAUNCHER, "clowd"),
    (texts, "a"),
    (texts, ["a", 1]),
    (interpreters, [3.12]),
    (variables, {"A": 1}),
    (variables, {"A=B": "1"}),
    (variables, {"A": {"secret": "../x"}}),
    (variables, ["A"]),
    (location, ""),
]


@pytest.mark.parametrize(("kind", "value"), BAD)
def test_a_bad_value_is_refused_with_what_was_expected(kind: Kind[Any], value: object) -> None:
    """The message names the form."""
    with pytest.raises(WrongValue, match="expected "):
        kind.parse(value, CONTEXT)


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (kinds.boolean, "Yes", True),
        (kinds.boolean, "0", False),
        (kinds.count, "12", 12),
        (kinds.limit, "true", 1),
        (kinds.limit, "1", 1),
        (kinds.duration, "90", 90.0),
        (kinds.Optional(kinds.whole), "off", None),
        (kinds.Optional(kinds.whole), "3", 3),
        (texts, "a, b", ("a", "b")),
        (texts, '["a,b"]', ("a,b",)),
        (texts, "", ()),
        (variables, "A=1,B=x=y", {"A": "1", "B": "x=y"}),
        (variables, '{ A = "1,2", B = { secret = "s" } }', {"A": "1,2", "B": Secret("s")}),
        (interpreters, "3.8,3.12", ("3.8", "3.12")),
    ],
)
def test_text_is_read(kind: Kind[Any], text: str, expected: object) -> None:
    """As it comes from the environment or the command line."""
    assert kind.parse(kind.read(text), CONTEXT) == expected


def test_a_name_near_a_known_one_is_suggested() -> None:
    """Also when an outside package brings it."""
    with pytest.raises(WrongValue, match=r"got 'clowd': did you mean 'cloud'\?"):
        LAUNCHER.parse("clowd", CONTEXT)


def test_an_address_needs_a_store_of_its_scheme() -> None:
    """Where the schemes are known."""
    with pytest.raises(WrongValue, match=r"there is no store for 's4':// \(known: s3\)"):
        location.parse("s4://b/p", CONTEXT)
    assert location.parse("s4://b/p", Context(Path("/"))) == "s4://b/p"


def test_outside_names_are_asked_for_only_when_needed() -> None:
    """Finding them means scanning what is installed."""

    def scan() -> list[str]:
        raise AssertionError("scanned")

    assert LAUNCHER.parse("local", Context(Path("/"), {"launchers": scan})) == "local"


def test_secrets_are_hidden_wherever_they_are_shown() -> None:
    """Text, repr, JSON and rows."""
    value = variables.parse({"A": {"secret": "db"}, "B": "plain"}, CONTEXT)

    assert variables.show(value) == "{A=•••, B=plain}"
    assert variables.plain(value) == {"A": HIDDEN, "B": "plain"}
    assert "db" not in f"{value['A']} {value['A']!r} {value}"
    assert location.show("s3://user:word@host/path") == "s3://user:•••@host/path"


def test_a_secret_is_revealed_from_variable_or_file(tmp_path: Path) -> None:
    """The variable wins; in neither is an error that says where to put it."""
    folder = tmp_path / ".config" / "doit-fleet" / "secrets"
    folder.mkdir(parents=True)
    (folder / "my-db").write_text("from file\n")

    assert Secret("my-db").reveal({"DOIT_FLEET_SECRET_MY_DB": "from variable"}, tmp_path) == "from variable"
    assert Secret("my-db").reveal({}, tmp_path) == "from file"
    with pytest.raises(Exception, match=r"'other' is not known here\n.*DOIT_FLEET_SECRET_OTHER"):
        Secret("other").reveal({}, tmp_path)
