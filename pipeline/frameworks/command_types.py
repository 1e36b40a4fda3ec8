"""Types of rows' values: each is checked before anything runs, and given to commands in one spelling.

Values come as texts, from matrices, tables and the command line alike. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import lru_cache
from math import isfinite
from typing import Final

from attrs import evolve

from pipeline.errors import UsageError
from pipeline.logic.matrix.nearest import nearest
from pipeline.model.commands import Row
from pipeline.model.quantities import parse_duration, parse_size

Type = str | tuple[str, ...]
"""One of `NAMES`, or the words that a value may be."""
Where = Callable[[str, str], str]
"""(name of a row, name of its value) to the place where that was written; empty when nobody knows."""
TRUTHS: Final = {"yes": "true", "on": "true", "true": "true", "no": "false", "off": "false", "false": "false"}


def _whole(text: str) -> str:
    return str(int(text, 10))


def _number(text: str) -> str:
    if not isfinite(float(text)):
        raise ValueError
    return text.strip()


def _size(text: str) -> str:
    return str(parse_size(text))


def _duration(text: str) -> str:
    seconds = parse_duration(text)
    return str(int(seconds)) if seconds == int(seconds) else str(seconds)


def _truth(text: str) -> str:
    return TRUTHS[text.lower()]


_SPELLERS: Final[Mapping[str, Callable[[str], str]]] = {
    "text": str,
    "whole": _whole,
    "number": _number,
    "size": _size,
    "duration": _duration,
    "boolean": _truth,
}
_FORMS: Final = {
    "whole": "a whole number",
    "number": "a number",
    "size": "a size like 512Mi",
    "duration": "a duration like 90s or 5m",
    "boolean": "yes or no",
}
NAMES: Final = tuple(_SPELLERS)


def typed(suite: str, rows: Sequence[Row], types: Mapping[str, Type], where: Where) -> list[Row]:
    """The rows with values as their types spell them: sizes in bytes, durations in seconds, `true` and `false`.

    Raises `UsageError` that names the row, the value and where it was written.
    """
    return [_typed(suite, row, types, where) for row in rows] if types else list(rows)


def check_names(suite: str, types: Mapping[str, Type], known: Collection[str]) -> None:
    """Raise `UsageError` for a type of a value that no row of the suite has, whichever rows are selected."""
    for name in types:
        if name not in known:
            raise UsageError(f"suite {suite!r}: types has {name!r}, but no row has such a value{nearest(name, known)}")


def _typed(suite: str, row: Row, types: Mapping[str, Type], where: Where) -> Row:
    spelled = dict(row.values)
    for name, kind in types.items():
        if name in spelled:
            try:
                spelled[name] = _spelled(spelled[name], kind)
            except (ValueError, KeyError, TypeError):
                place = where(row.name, name)
                wanted = f"one of {', '.join(kind)}" if isinstance(kind, tuple) else _FORMS[kind]
                raise UsageError(
                    f"{f'{place}: ' if place else ''}suite {suite!r}: value {name!r} of row {row.name!r} is "
                    f"{spelled[name]!r}, not {wanted}",
                    hint=f"suites.{suite}.types says so",
                ) from None
    return evolve(row, values=spelled)


@lru_cache(maxsize=10_000)
def _spelled(text: str, kind: Type) -> str:
    if isinstance(kind, tuple):
        if text not in kind:
            raise ValueError
        return text
    return _SPELLERS[kind](text)
