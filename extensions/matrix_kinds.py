"""What settings of matrices may be: where a matrix is, filters, types of values. They know nothing of suites.

What a matrix says is read later, by whoever needs its rows: a `doit` that runs nothing must not wait for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from pipeline.settings.collected import Sequence, _toml
from pipeline.settings.kinds import Context, Kind, Schema, WrongValue, text
from pipeline.settings.suggestion import did_you_mean

NAMES: Final = ("text", "whole", "number", "size", "duration", "boolean")
"""Types of values; `pipeline.frameworks.command_types` has them, too, and is too heavy to be imported here."""
TEXTS: Final[Schema] = {"type": "array", "items": {"type": "string"}}
Told = str | tuple[str, ...] | Mapping[str, Any]


class Matrix(Kind["Told"]):
    """A file, or several that follow each other; a text of several lines, which is the matrix itself; or tables."""

    form = "a file, a list of files, a matrix as text of several lines, or a table with axes"

    def parse(self, value: object, context: Context) -> Told:
        """Return the text, the texts or the table. Raises `WrongValue`."""
        if isinstance(value, str) and "\0" not in value:
            return value
        if isinstance(value, Mapping):
            return MappingProxyType(dict(value))
        if isinstance(value, list | tuple) and all(isinstance(one, str) and one and "\0" not in one for one in value):
            return tuple(value)
        raise self.refuse(value)

    def read(self, given: str) -> object:
        """Read a TOML array or inline table; any other text is a file."""
        return _toml(given) if given.lstrip().startswith(("[", "{")) else given

    def show(self, value: Told) -> str:
        """Write files as they are, a text or tables in short."""
        if isinstance(value, Mapping):
            return f"tables: {', '.join(value.get('axes', {}))}"
        first, *others = [value] if isinstance(value, str) else [*value, ""]
        return f"[{', '.join(value)}]" if others else f"{first.strip().splitlines()[0]} …" if "\n" in first else first

    def plain(self, value: Told) -> Any:
        """Return plain JSON."""
        return value if isinstance(value, str) else dict(value) if isinstance(value, Mapping) else list(value)

    def schema(self, context: Context) -> Schema:
        """Allow all three; tables are checked when they are read."""
        return {"anyOf": [{"type": "string"}, TEXTS, {"type": "object"}]}


if TYPE_CHECKING:
    Texts = Sequence[str]
else:
    Texts = Sequence


class Filters(Texts):
    """Filters, each of which must hold. On the command line a comma belongs to a filter, where it means or."""

    def read(self, text: str) -> object:
        """Read a TOML array, or one filter."""
        return _toml(text) if text.lstrip().startswith("[") else [text] if text.strip() else []


class Types(Kind["Mapping[str, str | tuple[str, ...]]"]):
    """By value, one of the known types, or the words that it may be."""

    joins = "map"
    form = f"a table whose values are types ({', '.join(NAMES)}) or lists of words"

    def parse(self, value: object, context: Context) -> Mapping[str, str | tuple[str, ...]]:
        """Return an unchangeable map. Raises `WrongValue`."""
        if not isinstance(value, Mapping):
            raise self.refuse(value)
        return MappingProxyType({str(key): self._type(one) for key, one in value.items()})

    def _type(self, one: object) -> str | tuple[str, ...]:
        if isinstance(one, str) and one in NAMES:
            return one
        if isinstance(one, list | tuple) and one and all(isinstance(word, str) for word in one):
            return tuple(one)
        near = did_you_mean(one, NAMES) if isinstance(one, str) else ""
        raise WrongValue(f"expected one of {', '.join(NAMES)} or a list of words, got {one!r}{near}")

    def read(self, text: str) -> object:
        """Read a TOML inline table."""
        return _toml(text)

    def join(self, lower: Any, higher: Any) -> Any:
        """Lay the higher keys over the lower ones."""
        return MappingProxyType({**lower, **higher})

    def show(self, value: Mapping[str, str | tuple[str, ...]]) -> str:
        """Write `name=type` pairs."""
        told = (f"{name}={one if isinstance(one, str) else '|'.join(one)}" for name, one in value.items())
        return "{" + ", ".join(told) + "}"

    def plain(self, value: Mapping[str, str | tuple[str, ...]]) -> Any:
        """Return a JSON object."""
        return {name: one if isinstance(one, str) else list(one) for name, one in value.items()}

    def schema(self, context: Context) -> Schema:
        """Allow such tables."""
        return {"type": "object", "additionalProperties": {"anyOf": [{"enum": list(NAMES)}, TEXTS]}}


matrix: Final = Matrix()
filters: Final = Filters(text, form="a filter of matrices or a list of them", single=True)
types: Final = Types()
