"""What assignments do to the values of one row: operators, `${key}`, suffixes, and bounds (`_min`, `_max`, `_fixed`).

A key is a text, or with suffixes a tuple of the key and its suffixes until `flattened`. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Final

from attrs import frozen

from pipeline.logic.matrix.places import MatrixError, Place
from pipeline.logic.matrix.statements import Assignment, Deletion, Operator, Suffix

Key = str | tuple[str, ...]
Values = dict[Key, str]

RESERVED: Final = frozenset({"name", "shortname", "dep"})
"""Known of every row and open to `${}`; assignments to them are passed over, as they always were."""

BOUNDS: Final = ("_min", "_max", "_fixed")

_REFERENCE: Final = re.compile(r"\$\{(.+?)\}")
_UNITS: Final = {"B": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


@frozen
class Step:
    """One statement about values, and the variants and `[conditions]` in which it stands (empty: in none)."""

    statement: Assignment | Deletion | Suffix
    variant: str

    @property
    def place(self) -> Place:
        """Where it stands."""
        return self.statement.place

    @property
    def is_plain(self) -> bool:
        """Whether it sets a constant."""
        said = self.statement
        return isinstance(said, Assignment) and said.operator is Operator.SET and "${" not in said.value


def apply(step: Step, values: Values, own: Mapping[str, str]) -> None:
    """Carry one step out; `own` are the reserved values of the row."""
    said = step.statement
    if isinstance(said, Assignment):
        _assign(said, values, substituted(said.value, values, own))
    elif isinstance(said, Deletion):
        for key in _matching(said.pattern, values):
            del values[key]
    else:
        for key in list(values):
            values[(*_parts(key), said.text)] = values.pop(key)


def _assign(said: Assignment, values: Values, value: str) -> None:
    if said.operator.is_of_patterns:
        for key in _matching(said.key, values):
            values[key] = _combined(said.operator, values[key], value)
    elif said.key not in RESERVED and not (said.operator is Operator.SET_ABSENT and said.key in values):
        values[said.key] = _combined(said.operator, values.get(said.key, ""), value)


def _combined(operator: Operator, old: str, new: str) -> str:
    if operator in (Operator.APPEND, Operator.APPEND_MATCHING):
        return old + new
    if operator in (Operator.PREPEND, Operator.PREPEND_MATCHING):
        return new + old
    return new


def _parts(key: Key) -> tuple[str, ...]:
    return key if isinstance(key, tuple) else (key,)


def _matching(pattern: str, values: Values) -> list[Key]:
    wanted = _compiled(pattern)
    return [key for key in values if wanted.match(key if isinstance(key, str) else "".join(key))]


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(f"{pattern}$")


def substituted(text: str, values: Values, own: Mapping[str, str]) -> str:
    """The text with each `${key}` as it is now; from the first key that is not there on, the text stays as it is."""
    if "${" not in text:
        return text
    known = {**own, **flattened(values)}
    done, start = "", 0
    for reference in _REFERENCE.finditer(text):
        if reference[1] not in known:
            break
        done += text[start : reference.start()] + known[reference[1]]
        start = reference.end()
    return done + text[start:]


def flattened(values: Values) -> dict[str, str]:
    """Keys as texts: a suffix stays only where values differ, the last one given stands first."""
    flat = dict(values)
    for key in values:
        if isinstance(key, tuple):
            value, plain = flat.pop(key), flat_key(key, values)
            if plain != key[0] or key[0] not in values:
                flat[plain] = value
    return flat  # type: ignore[return-value]


def flat_key(key: Key, values: Values) -> str:
    """What a key of these values is called in the end; without its suffixes when all that would be so called are equal."""
    if isinstance(key, str):
        return key
    value = values[key]
    if values.get(key[0]) == value or all(each == value for name, each in values.items() if _parts(name)[0] == key[0]):
        return key[0]
    return key[0] + "".join(reversed(key[1:]))


def bounded(values: Values, place_of: Callable[[str], Place]) -> None:
    """Apply `key_min`, `key_max` and `key_fixed` to `key`. Raises `MatrixError` for a bound that cannot be compared."""
    found: dict[Key, str] = {}
    for key, bound in values.items():
        if not isinstance(key, str) or not key.endswith(BOUNDS):
            continue
        kind = next(kind for kind in BOUNDS if key.endswith(kind))
        target = key.split(kind)[0]
        if kind == "_fixed" or target not in values or _exceeds(values[target], key, bound, place_of):
            found[target] = bound
    values.update(found)


def _exceeds(value: str, key: str, bound: str, place_of: Callable[[str], Place]) -> bool:
    try:
        number, limit = _comparable(value, bound)
    except (ValueError, IndexError):
        hint = "bounds are whole numbers, or sizes with B, K, M, G or T"
        message = f"'{key} = {bound}' cannot be compared with {value!r}"
        raise MatrixError(place_of(key), message, hint=hint) from None
    return number > limit if key.endswith("_max") else number < limit


def _comparable(value: str, bound: str) -> tuple[int, int]:
    if any(unit in (value + bound).upper() for unit in _UNITS):
        return _size(value), _size(bound)
    return int(value), int(bound)


def _size(text: str) -> int:
    if text[-1].upper() not in _UNITS:
        text += "M"
    return int(float(text[:-1]) * _UNITS[text[-1].upper()])
