"""Values in another system's own words: tables that are handed on as they are, and maps of texts.

They know only what can be known without that system: its words at the top, and that it is all plain JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from pipeline.settings.collected import _toml
from pipeline.settings.kinds import Context, Kind, Schema, WrongValue
from pipeline.settings.suggestion import did_you_mean

Value = Mapping[str, Any]
Join = Callable[[Value, Value], Value]


def shallow(lower: Value, higher: Value) -> Value:
    """The higher keys laid over the lower ones."""
    return {**lower, **higher}


class Table(Kind["Mapping[str, Any]"]):
    """A table of JSON values. With `words`, no other names are taken at its top; `join` says how layers become one."""

    joins = "map"

    def __init__(
        self, form: str, words: Iterable[str] = (), *, join: Join = shallow, needs: Iterable[str] = ()
    ) -> None:
        self.form, self._words, self._join, self._needs = form, tuple(words), join, tuple(needs)

    def parse(self, value: object, context: Context) -> Value:
        """Return a plain copy that nobody else holds."""
        if not isinstance(value, Mapping):
            raise self.refuse(value)
        for name in value:
            if self._words and name not in self._words and not str(name).startswith("$"):
                raise self.refuse(value, f"unknown field {name!r}{did_you_mean(str(name), self._words)}")
        for name in self._needs:
            if name not in value:
                raise self.refuse(value, f"it has no {name!r}")
        return {str(name): self._copy(inner) for name, inner in value.items()}

    def _copy(self, value: object) -> Any:
        if isinstance(value, Mapping):
            return {str(name): self._copy(inner) for name, inner in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._copy(inner) for inner in value]
        if value is None or isinstance(value, (str, int, float, bool)):
            return value
        raise WrongValue(f"{value!r} is no value of JSON")

    def read(self, text: str) -> object:
        """Read a TOML inline table, or JSON."""
        given = _toml(text)
        return given if isinstance(given, Mapping) else _json(text)

    def join(self, lower: Value, higher: Value) -> Value:
        """As the kind was told."""
        return self._join(lower, higher)

    def show(self, value: Value) -> str:
        """Write JSON."""
        import json

        return json.dumps(self.plain(value), sort_keys=True)

    def schema(self, context: Context) -> Schema:
        """Allow the words."""
        known: Schema = {"type": "object", "properties": {word: {} for word in self._words}}
        return known if self._words else {"type": "object"}


class TextMap(Kind["Mapping[str, str]"]):
    """A map of texts by name, each pair looked at by `check`, which says what is wrong or nothing."""

    joins = "map"

    def __init__(self, form: str, check: Callable[[str, str], str]) -> None:
        self.form, self._check = form, check

    def parse(self, value: object, context: Context) -> Mapping[str, str]:
        """Return an unchangeable map."""
        if not isinstance(value, Mapping) or not all(isinstance(item, str) for item in value.values()):
            raise self.refuse(value)
        for name, item in value.items():
            if wrong := self._check(name, item):
                raise self.refuse(value, wrong)
        return MappingProxyType(dict(value))

    def read(self, text: str) -> object:
        """Read a TOML inline table, or `name=value` pairs separated by commas."""
        if text.lstrip().startswith("{"):
            return _toml(text)
        pairs = [part.partition("=") for part in text.split(",") if part.strip()]
        return {name.strip(): value for name, equals, value in pairs} if all(pair[1] for pair in pairs) else text

    def join(self, lower: Mapping[str, str], higher: Mapping[str, str]) -> Mapping[str, str]:
        """Lay the higher keys over the lower ones."""
        return MappingProxyType({**lower, **higher})

    def show(self, value: Mapping[str, str]) -> str:
        """Write `name=value` pairs."""
        return "{" + ", ".join(f"{name}={item}" for name, item in value.items()) + "}"

    def plain(self, value: Mapping[str, str]) -> Any:
        """Return a JSON object."""
        return dict(value)

    def schema(self, context: Context) -> Schema:
        """Allow texts, and `append` or `replace` with such a table."""
        table: Schema = {"type": "object", "additionalProperties": {"type": "string"}}
        either: Schema = {"anyOf": [{"type": "string"}, table]}
        return {**table, "properties": {"append": either, "replace": either}}


def _json(text: str) -> object:
    import json

    try:
        return json.loads(text)
    except ValueError:
        return text
