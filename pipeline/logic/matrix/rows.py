"""One row of a matrix: its names, what it depends on, its values, and where each value comes from. A value, no walking."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from pipeline.logic.matrix.nodes import Chunk
from pipeline.logic.matrix.places import Place
from pipeline.logic.matrix.statements import Assignment, Deletion, Suffix
from pipeline.logic.matrix.values import BOUNDS, Key, Step, Values, apply, bounded, flat_key


@frozen
class Setting:
    """What one statement made of a key; `variant` is the path of variants and `[conditions]` it stands in, empty outside of any."""

    value: str | None
    """None: the key was deleted."""
    statement: str
    variant: str
    place: Place


@frozen
class Row:
    """One combination. `values` hold neither the names nor the dependencies."""

    name: str
    shortname: str
    dependencies: tuple[str, ...]
    """Beginnings of names of other rows, up to a dot."""
    values: Mapping[str, str]
    chunks: tuple[Chunk, ...] = field(eq=False, repr=False)
    """What was carried out to get the values."""
    parts: tuple[Row, ...] = field(default=(), eq=False, repr=False)
    """Of a joined row, those it was made from."""

    def provenance(self) -> dict[str, tuple[Setting, ...]]:
        """For each key that was ever there: what set it, the statement that counts last."""
        values, found = _replayed(self)
        told: dict[str, tuple[Setting, ...]] = {}
        for key, settings in found.items():
            name = flat_key(key, values) if key in values else "".join(_parts(key))
            told[name] = (*told.get(name, ()), *settings)
        return told


def own_values(name: str, shortname: str, dependencies: tuple[str, ...]) -> dict[str, str]:
    """What `${}` knows of every row."""
    return {"name": name, "shortname": shortname, "dep": str(list(dependencies))}


def _replayed(row: Row) -> tuple[Values, dict[Key, list[Setting]]]:
    """The values of a row before suffixes became part of keys, and what was said of each."""
    values: Values = {}
    found: dict[Key, list[Setting]] = {}
    for part in row.parts:
        part_values, part_found = _replayed(part)
        values |= part_values
        found |= part_found
    for step in (step for chunk in row.chunks for step in chunk.steps):
        before = dict(values)
        apply(step, values, own_values(row.name, row.shortname, row.dependencies))
        if isinstance(step.statement, Suffix):
            found = {(*_parts(key), step.statement.text) if key in before else key: each for key, each in found.items()}
            continue
        said = getattr(step.statement, "key", None)
        for key in dict.fromkeys((*before, *values)):
            if before.get(key) != values.get(key) or (key == said and key in values):
                setting = Setting(values.get(key), written(step), step.variant, step.place)
                found.setdefault(key, []).append(setting)
    if not row.parts:
        _bound(values, found)
    return values, found


def _bound(values: Values, found: dict[Key, list[Setting]]) -> None:
    """Values that a bound replaced, with the last statement about that bound."""
    before = dict(values)
    bounded(values, lambda key: found[key][-1].place)
    for key in [key for key in values if before.get(key) != values[key]]:
        kind = next(kind for kind in BOUNDS if before.get(f"{key}{kind}") == values[key])
        last = found[f"{key}{kind}"][-1]
        found.setdefault(key, []).append(Setting(values[key], f"{key}{kind} = {values[key]}", last.variant, last.place))


def _parts(key: Key) -> tuple[str, ...]:
    return key if isinstance(key, tuple) else (key,)


def written(step: Step) -> str:
    """The statement as one line."""
    match step.statement:
        case Assignment(key=key, operator=operator, value=value):
            return f"{key} {operator.value} {value}".rstrip()
        case Deletion(pattern=pattern):
            return f"del {pattern}"
        case Suffix(text=text):
            return f"suffix {text}"
