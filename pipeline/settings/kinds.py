"""What a setting's value may be: how it is checked, read from text, shown and described to editors.

A kind turns raw values (of TOML, Python or text) into the typed value stages read, and takes its own results unchanged.
It knows no layers and no names of settings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, Generic, NamedTuple, TypeVar

from pipeline.model import quantities

T = TypeVar("T")
Schema = dict[str, Any]


class Context(NamedTuple):
    """What checking a value may need to know of its surroundings."""

    root: Path
    """The folder relative paths start from."""
    choices: Mapping[str, Callable[[], Iterable[str]]] = {}
    """By set (`launchers`, `frameworks`, `stores`, `reporters`): asks for the names outside packages offer."""


class WrongValue(ValueError):
    """A value is not of the kind; the text says what was expected and what was given."""


class Kind(Generic[T]):
    """A kind of value. `form` says what is expected, in words that follow "expected"."""

    form: str
    joins: str = ""
    """How values of several layers become one: empty (the highest wins), `list` or `map`."""

    def parse(self, value: object, context: Context) -> T:
        """Return the typed value. Raises `WrongValue`."""
        raise NotImplementedError

    def read(self, text: str) -> object:
        """Return the raw value that a text of the environment or the command line stands for."""
        return text

    def join(self, lower: T, higher: T) -> T:
        """Append the higher layer's value to the lower one's."""
        raise NotImplementedError

    def show(self, value: T) -> str:
        """Write the value for people, secrets hidden."""
        return str(self.plain(value))

    def plain(self, value: T) -> Any:
        """Return the value as plain JSON, secrets hidden."""
        return value

    def schema(self, context: Context) -> Schema:
        """Return the JSON schema of what may be written in TOML."""
        raise NotImplementedError

    def refuse(self, value: object, why: str = "") -> WrongValue:
        """Return the error that says what was expected and what was given."""
        return WrongValue(f"expected {self.form}, got {value!r}" + (f": {why}" if why else ""))


class Simple(Kind[T]):
    """A kind made from functions, for values that do not depend on their surroundings."""

    def __init__(
        self,
        form: str,
        schema: Schema,
        parse: Callable[[object], T],
        *,
        read: Callable[[str], object] = str,
        show: Callable[[T], str] = str,
    ) -> None:
        self.form, self._schema, self._parse, self._read, self._show = form, schema, parse, read, show

    def parse(self, value: object, context: Context) -> T:
        """Check the value with the function given."""
        try:
            return self._parse(value)
        except (ValueError, TypeError) as error:
            raise self.refuse(value, str(error)) from None

    def read(self, text: str) -> object:
        """Read text with the function given."""
        return self._read(text)

    def show(self, value: T) -> str:
        """Show with the function given."""
        return self._show(value)

    def schema(self, context: Context) -> Schema:
        """Return the schema given."""
        return self._schema


_TRUTHS: Final = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}


def _truth(text: str) -> object:
    return _TRUTHS.get(text.lower(), text)


def _digits(text: str) -> object:
    return int(text) if text.isascii() and text.isdigit() else text


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError
    return value


def _auto_or(parse: Callable[[object], T]) -> Callable[[object], T | str]:
    return lambda value: "auto" if value == "auto" else parse(value)


def _limit(value: object) -> int:
    return int(value) if isinstance(value, bool) else _whole(value)


def _lower(value: object) -> str:
    return str(value).lower()


_AUTO: Final[Schema] = {"const": "auto"}
_WHOLE: Final[Schema] = {"type": "integer", "minimum": 0}
_DURATION: Final[Schema] = {"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": "^[0-9]"}]}

text: Final[Kind[str]] = Simple("a text", {"type": "string"}, _text)
boolean: Final[Kind[bool]] = Simple("true or false", {"type": "boolean"}, _boolean, read=_truth, show=_lower)
whole: Final[Kind[int]] = Simple("a whole number from 0 up", _WHOLE, _whole, read=_digits)
count: Final[Kind[int | str]] = Simple(
    'a whole number from 0 up or "auto"', {"anyOf": [_WHOLE, _AUTO]}, _auto_or(_whole), read=_digits
)
switch: Final[Kind[bool | str]] = Simple(
    'true, false or "auto"', {"anyOf": [{"type": "boolean"}, _AUTO]}, _auto_or(_boolean), read=_truth, show=_lower
)
limit: Final[Kind[int]] = Simple(
    "false, true (the first one) or a whole number",
    {"anyOf": [{"type": "boolean"}, _WHOLE]},
    _limit,
    read=lambda given: _digits(given) if given.isdigit() else _truth(given),
)
duration: Final[Kind[float]] = Simple(
    quantities.DURATION_FORM, _DURATION, quantities.parse_duration, show=quantities.format_duration
)
size: Final[Kind[int]] = Simple(
    quantities.SIZE_FORM,
    {"anyOf": [_WHOLE, {"type": "string", "pattern": "^[0-9]"}]},
    quantities.parse_size,
    show=quantities.format_size,
)


class Optional(Kind["T | None"]):
    """A value of another kind, or none at all, written `"off"` (or None in Python)."""

    def __init__(self, kind: Kind[T]) -> None:
        self._kind = kind
        self.form = f'{kind.form}, or "off"'

    def parse(self, value: object, context: Context) -> T | None:
        """Return None for "off", else what the other kind makes of it."""
        if value is None or value == "off":
            return None
        try:
            return self._kind.parse(value, context)
        except WrongValue:
            raise self.refuse(value) from None

    def read(self, text: str) -> object:
        """Read as the other kind does, "off" excepted."""
        return text if text == "off" else self._kind.read(text)

    def show(self, value: T | None) -> str:
        """Show "off" for None."""
        return "off" if value is None else self._kind.show(value)

    def plain(self, value: T | None) -> Any:
        """Return null for None."""
        return None if value is None else self._kind.plain(value)

    def schema(self, context: Context) -> Schema:
        """Allow "off" besides."""
        return {"anyOf": [self._kind.schema(context), {"const": "off"}]}


class File(Kind[Path]):
    """A path, relative to the project's root unless absolute; `~` is the user's home."""

    form = "a path, relative to the project's root"

    def parse(self, value: object, context: Context) -> Path:
        """Return the absolute path."""
        if not isinstance(value, (str, Path)) or not str(value) or "\0" in str(value):
            raise self.refuse(value)
        given = Path(value)
        return context.root / (given.expanduser() if str(given).startswith("~") else given)

    def plain(self, value: Path) -> Any:
        """Return the path's text."""
        return str(value)

    def schema(self, context: Context) -> Schema:
        """Allow any text."""
        return {"type": "string", "minLength": 1}


path: Final = File()
