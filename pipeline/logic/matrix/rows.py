"""One row of a matrix: its names, what it depends on, its values, and where each value comes from. A value, no walking."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from attrs import frozen

from pipeline.logic.matrix.places import Place
from pipeline.logic.matrix.statements import Assignment, Deletion, Suffix
from pipeline.logic.matrix.values import Step, Values, apply, flattened


@frozen
class Setting:
    """What one statement made of a key; `variant` is the path of variants and `[conditions]` it stands in, empty outside of any."""

    value: str | None
    """None: the key was deleted, or goes on under another name."""
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
    steps: tuple[Step, ...]
    parts: tuple[Row, ...] = ()
    """Of a joined row, those it was made from."""

    def provenance(self) -> dict[str, tuple[Setting, ...]]:
        """For each key that was ever there: what set it, the statement that counts last. Bounds and joins do not show up."""
        if self.parts:
            return {key: settings for part in self.parts for key, settings in part.provenance().items()}
        values: Values = {}
        found: dict[str, list[Setting]] = {}
        for step in self.steps:
            before = dict(values)
            apply(step, values, own_values(self.name, self.shortname, self.dependencies))
            for key, setting in _changed(step, before, values):
                found.setdefault(key, []).append(setting)
        return {key: tuple(settings) for key, settings in found.items()}


def own_values(name: str, shortname: str, dependencies: tuple[str, ...]) -> dict[str, str]:
    """What `${}` knows of every row."""
    return {"name": name, "shortname": shortname, "dep": str(list(dependencies))}


def _changed(step: Step, before: Values, after: Values) -> Iterator[tuple[str, Setting]]:
    """Keys the step touched: those it says, even when their value stays the same, and those that changed."""
    old, new = flattened(before), flattened(after)
    said = getattr(step.statement, "key", None)
    for key in dict.fromkeys((*old, *new)):
        if old.get(key) != new.get(key) or (key == said and key in new):
            yield key, Setting(new.get(key), written(step), step.variant, step.place)


def written(step: Step) -> str:
    """The statement as one line."""
    match step.statement:
        case Assignment(key=key, operator=operator, value=value):
            return f"{key} {operator.value} {value}".rstrip()
        case Deletion(pattern=pattern):
            return f"del {pattern}"
        case Suffix(text=text):
            return f"suffix {text}"
