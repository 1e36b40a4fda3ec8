"""Lists and maps: the kinds whose values of several layers can be joined.

A list of a higher layer replaces the lower ones unless appended; a map's keys are laid over the lower ones unless
replaced.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, TypeVar

from pipeline.settings.kinds import Context, Kind, Schema, WrongValue, text
from pipeline.settings.secret import HIDDEN, Secret, is_secret_table

T = TypeVar("T")
_SECRET_NAME = r"[A-Za-z0-9][A-Za-z0-9_-]*"


def _toml(given: str) -> object:
    """Read a text as a TOML value, or give it back as it is."""
    import tomllib

    try:
        return tomllib.loads(f"value = {given}")["value"]
    except tomllib.TOMLDecodeError:
        return given


class Sequence(Kind["tuple[T, ...]"]):
    """A list of values of one kind; with `single`, one bare value stands for a list of it."""

    joins = "list"

    def __init__(self, kind: Kind[T], *, form: str, single: bool = False) -> None:
        self._kind, self.form, self._single = kind, form, single

    def parse(self, value: object, context: Context) -> tuple[T, ...]:
        """Return the values as a tuple."""
        if self._single and isinstance(value, str):
            value = [value]
        if not isinstance(value, (list, tuple)):
            raise self.refuse(value)
        try:
            return tuple(self._kind.parse(item, context) for item in value)
        except WrongValue as error:
            raise self.refuse(value, f"in it, {error}") from None

    def read(self, text: str) -> object:
        """Read a TOML array, or values separated by commas."""
        if text.lstrip().startswith("["):
            return _toml(text)
        return [self._kind.read(part.strip()) for part in text.split(",") if part.strip()]

    def join(self, lower: tuple[T, ...], higher: tuple[T, ...]) -> tuple[T, ...]:
        """Append."""
        return lower + higher

    def show(self, value: tuple[T, ...]) -> str:
        """Write the values with commas between them."""
        return "[" + ", ".join(self._kind.show(item) for item in value) + "]"

    def plain(self, value: tuple[T, ...]) -> Any:
        """Return a JSON list."""
        return [self._kind.plain(item) for item in value]

    def schema(self, context: Context) -> Schema:
        """Allow an array, or `{ append = array }`."""
        array: Schema = {"type": "array", "items": self._kind.schema(context)}
        added = {
            "type": "object",
            "properties": {"append": array},
            "required": ["append"],
            "additionalProperties": False,
        }
        return {"anyOf": [array, added] + ([self._kind.schema(context)] if self._single else [])}


class Variables(Kind["Mapping[str, str | Secret]"]):
    """A map of environment variables, whose values may be secrets by name."""

    joins = "map"
    form = 'a table of texts, or of { secret = "name" }'

    def parse(self, value: object, context: Context) -> Mapping[str, str | Secret]:
        """Return an unchangeable map."""
        if not isinstance(value, Mapping):
            raise self.refuse(value)
        return MappingProxyType({self._name(key): self._value(item) for key, item in value.items()})

    def _name(self, key: object) -> str:
        if not isinstance(key, str) or not key or "=" in key or "\0" in key:
            raise WrongValue(f"expected the name of an environment variable, got {key!r}")
        return key

    def _value(self, item: object) -> str | Secret:
        if isinstance(item, Secret) or (isinstance(item, str) and "\0" not in item):
            return item
        if isinstance(item, Mapping) and is_secret_table(item) and re.fullmatch(_SECRET_NAME, str(item["secret"])):
            return Secret(item["secret"])
        raise WrongValue(f'expected a text or {{ secret = "name" }}, got {item!r}')

    def read(self, text: str) -> object:
        """Read a TOML inline table, or `NAME=value` pairs separated by commas."""
        if text.lstrip().startswith("{"):
            return _toml(text)
        pairs = [part.partition("=") for part in text.split(",") if part.strip()]
        return {name.strip(): value for name, equals, value in pairs} if all(pair[1] for pair in pairs) else text

    def join(self, lower: Mapping[str, str | Secret], higher: Mapping[str, str | Secret]) -> Mapping[str, str | Secret]:
        """Lay the higher keys over the lower ones."""
        return MappingProxyType({**lower, **higher})

    def show(self, value: Mapping[str, str | Secret]) -> str:
        """Write `NAME=value` pairs, secrets hidden."""
        return "{" + ", ".join(f"{name}={item}" for name, item in value.items()) + "}"

    def plain(self, value: Mapping[str, str | Secret]) -> Any:
        """Return a JSON object, secrets hidden."""
        return {name: HIDDEN if isinstance(item, Secret) else item for name, item in value.items()}

    def schema(self, context: Context) -> Schema:
        """Allow texts and secrets, and `append` or `replace` with such a table."""
        secret: Schema = {"type": "object", "properties": {"secret": {"type": "string"}}, "required": ["secret"]}
        table: Schema = {"type": "object", "additionalProperties": {"anyOf": [{"type": "string"}, secret]}}
        either: Schema = {"anyOf": [{"type": "string"}, secret, table]}
        return {**table, "properties": {"append": either, "replace": either}}


texts = Sequence(text, form="a list of texts")
interpreters = Sequence(text, form="a Python interpreter (a version, name or path) or a list of them", single=True)
variables = Variables()
