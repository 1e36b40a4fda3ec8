"""What settings of commands may be: commands, rows, exit codes. They know nothing of suites."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from pipeline.settings.collected import Sequence, _toml
from pipeline.settings.kinds import Context, Kind, Schema, Simple, _digits

WORDS: Final[Schema] = {"type": "array", "items": {"type": "string"}}


class CommandLine(Kind["str | tuple[str, ...]"]):
    """A text for the shell, or a list: a program and its arguments, which no shell sees. Empty: none."""

    form = "a text for the shell, or a list: a program and its arguments"

    def parse(self, value: object, context: Context) -> str | tuple[str, ...]:
        """Return the text, or the words as a tuple."""
        if isinstance(value, str) and "\0" not in value:
            return value.strip() and value
        if not isinstance(value, list | tuple) or not all(isinstance(word, str) and "\0" not in word for word in value):
            raise self.refuse(value)
        if value and not value[0]:
            raise self.refuse(value, "the program has no name")
        return tuple(value)

    def read(self, text: str) -> object:
        """Read a TOML array; any other text is for the shell."""
        return _toml(text) if text.lstrip().startswith("[") else text

    def show(self, value: str | tuple[str, ...]) -> str:
        """Write the text, or the list."""
        return value if isinstance(value, str) else "[" + ", ".join(value) + "]"

    def plain(self, value: str | tuple[str, ...]) -> Any:
        """Return a text or a JSON list."""
        return value if isinstance(value, str) else list(value)

    def schema(self, context: Context) -> Schema:
        """Allow both."""
        return {"anyOf": [{"type": "string"}, WORDS]}


class Tests(Kind["Mapping[str, Any]"]):
    """One row: its name, its values as texts, and the rows that run before it."""

    form = "a table with a name, and values and dependencies if it has any"

    def parse(self, value: object, context: Context) -> Mapping[str, Any]:
        """Return an unchangeable row."""
        if not isinstance(value, Mapping) or not isinstance(value.get("name"), str):
            raise self.refuse(value)
        if unknown := sorted({*value} - {"name", "values", "dependencies"}):
            raise self.refuse(value, f"unknown field {unknown[0]!r}")
        values, needs = value.get("values", {}), value.get("dependencies", ())
        if not isinstance(values, Mapping) or not isinstance(needs, list | tuple):
            raise self.refuse(value)
        texts = {self._name(name): self._text(one, value) for name, one in values.items()}
        row = {"name": value["name"], "values": MappingProxyType(texts), "dependencies": tuple(map(str, needs))}
        return MappingProxyType(row)

    def _name(self, name: object) -> str:
        if not isinstance(name, str) or not name or set(name) & set("{}\0="):
            raise self.refuse(name, "no name for a value")
        return name

    def _text(self, one: object, row: object) -> str:
        if isinstance(one, bool):
            return str(one).lower()
        if isinstance(one, str | int | float):
            return str(one)
        raise self.refuse(row, f"values are texts and numbers, got {one!r}")

    def read(self, text: str) -> object:
        """Read a TOML inline table."""
        return _toml(text)

    def show(self, value: Mapping[str, Any]) -> str:
        """Write the name."""
        return str(value["name"])

    def plain(self, value: Mapping[str, Any]) -> Any:
        """Return a JSON object."""
        return {**value, "values": dict(value["values"]), "dependencies": list(value["dependencies"])}

    def schema(self, context: Context) -> Schema:
        """Allow such tables."""
        value: Schema = {"type": ["string", "number", "boolean"]}
        properties = {
            "name": {"type": "string"},
            "values": {"type": "object", "additionalProperties": value},
            "dependencies": WORDS,
        }
        return {"type": "object", "properties": properties, "required": ["name"], "additionalProperties": False}


def _status(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 255:
        raise ValueError
    return value


def _counts(value: object) -> Mapping[str, int]:
    if not isinstance(value, Mapping) or not all(isinstance(name, str) and name for name in value):
        raise TypeError
    for name, count in value.items():
        if "," in name:
            raise ValueError(f"{name!r} holds a comma")
        if not isinstance(count, int) or isinstance(count, bool) or count < 1:
            raise ValueError(f"{name!r} is {count!r}")
    return dict(value)


def _shown_counts(value: Mapping[str, int]) -> str:
    return "{" + ", ".join(f"{name}={count}" for name, count in value.items()) + "}"


command_line: Final = CommandLine()
counts: Final[Kind[Mapping[str, int]]] = Simple(
    "a table of whole numbers from 1 up",
    {"type": "object", "additionalProperties": {"type": "integer", "minimum": 1}},
    _counts,
    read=_toml,
    show=_shown_counts,
)
rows: Final = Sequence(Tests(), form="a list of tables, each a test")
statuses: Final = Sequence(
    Simple("an exit status from 0 to 255", {"type": "integer", "minimum": 0, "maximum": 255}, _status, read=_digits),
    form="a list of exit statuses",
)
