"""A matrix as tables, for those who do not know the Cartesian format: axes with values, what to leave out, what to add.

```toml
axes.size = { small = { memory = "2Gi" }, large = { memory = "8Gi" } }   # variants, each with values of its own
axes.disk = ["ssd", "hdd"]                                               # or just the value
values.image = "fio:3"                                                   # for all rows
exclude = [{ size = "large", disk = "hdd" }]                             # combinations that are not wanted
include = [{ size = "huge", disk = "ssd", memory = "16Gi" }]             # rows of their own
override = [{ when = { disk = ["hdd"] }, set = { timeout = "1h" } }]     # values of some combinations
```
becomes statements, so that rows, filters and explanations are the same. The first axis is leftmost and varies slowest. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Any, Final

from attrs import frozen

from pipeline.logic.matrix.filters import Alternative, Filter, Label
from pipeline.logic.matrix.nearest import nearest
from pipeline.logic.matrix.places import MatrixError, Place
from pipeline.logic.matrix.statements import (
    Assignment,
    Block,
    Choice,
    Condition,
    Either,
    Operator,
    Selection,
    Stanza,
    Statement,
    Variant,
)

Table = Mapping[str, Any]
Axes = Mapping[str, Mapping[str, Table]]
"""For each axis, its variants by what they are called, each with the values it sets (the axis itself among them)."""

KEYS: Final = ("axes", "values", "exclude", "include", "override")
_NAME: Final = re.compile(r"[\w-]+")


def read_tables(table: Table, source: str) -> Block:
    """The statements of a table; `source` is where it stands. Raises `MatrixError`."""
    return _Reader(source).whole(table)


@frozen
class _Reader:
    source: str

    def place(self, path: str) -> Place:
        return Place(f"{self.source} {path}".strip(), 0)

    def whole(self, table: Table) -> Block:
        for key in table:
            if key not in KEYS:
                raise MatrixError(self.place(key), f"unknown key {key!r}{nearest(key, KEYS)}")
        given = self.mapping(table.get("axes", {}), "axes")
        if not given:
            hint = 'an axis is a list of values, or a table of variants: axes.disk = ["ssd", "hdd"]'
            raise MatrixError(self.place("axes"), "a matrix without axes has no rows", hint=hint)
        axes = {axis: self.axis(axis, said) for axis, said in given.items()}
        excluded = [self.exclusion(axes, each, path) for each, path in self.tables(table, "exclude")]
        sides = [Block((*self.stanzas(axes), *excluded))]
        sides += [Block(tuple(self.inclusion(axes, each, path))) for each, path in self.tables(table, "include")]
        overrides = [self.override(axes, each, path) for each, path in self.tables(table, "override")]
        values = self.assignments(self.mapping(table.get("values", {}), "values"), "values")
        return Block((*values, Either(blocks=tuple(sides)), *overrides))

    def axis(self, axis: str, said: Any) -> Mapping[str, Table]:
        """Variants of one axis. Values become names of variants: what is no letter, digit, `_` or `-` becomes `-`."""
        path = f"axes.{axis}"
        if not _NAME.fullmatch(axis):
            raise MatrixError(self.place(path), f"axis {axis!r} is not of letters, digits, '_' and '-'")
        if isinstance(said, Mapping):
            return {
                self.called(name, path): {axis: name, **self.mapping(own, f"{path}.{name}")}
                for name, own in said.items()
            }
        if not isinstance(said, Sequence) or isinstance(said, str) or not said:
            hint = 'write axes.disk = ["ssd", "hdd"], or axes.size = { small = { memory = "2Gi" } }'
            raise MatrixError(self.place(path), f"{said!r} is neither values nor variants", hint=hint)
        found = {self.called(self.text(value, path), path): {axis: value} for value in said}
        if len(found) < len(said):
            raise MatrixError(self.place(path), f"two of {list(said)!r} have the same name")
        return found

    def stanzas(self, axes: Axes) -> list[Statement]:
        """The last axis first: it is innermost."""
        return [self.stanza(axis, variants) for axis, variants in reversed(list(axes.items()))]

    def stanza(self, axis: str, variants: Mapping[str, Table]) -> Stanza:
        made = [
            Variant(
                labels=(Label(name, axis),),
                is_marked=False,
                dependencies=(),
                block=Block(tuple(self.assignments(_beside(values, axis, name), f"axes.{axis}.{name}"))),
                place=self.place(f"axes.{axis}.{name}"),
            )
            for name, values in variants.items()
        ]
        return Stanza(axis=axis, defaults=(), variants=tuple(made), place=self.place(f"axes.{axis}"))

    def exclusion(self, axes: Axes, said: Table, path: str) -> Selection:
        return Selection(choice=Choice.NO, filter=self.filter(axes, said, path), place=self.place(path))

    def inclusion(self, axes: Axes, said: Table, path: str) -> list[Statement]:
        """A row of its own: each axis with one value, known or not, and any other values."""
        missing = [axis for axis in axes if axis not in said]
        if missing:
            raise MatrixError(
                self.place(path), f"an included row has a value of every axis, and this one none of {missing[0]!r}"
            )
        found: list[Statement] = []
        for axis in reversed(list(axes)):
            name = self.called(self.text(said[axis], path), path)
            values = axes[axis].get(name, {axis: said[axis]})
            found.append(self.stanza(axis, {name: values}))
        own = {key: value for key, value in said.items() if key not in axes}
        return [*found, *self.assignments(own, path)]

    def override(self, axes: Axes, said: Table, path: str) -> Condition:
        if set(said) != {"when", "set"}:
            hint = 'write { when = { disk = "hdd" }, set = { timeout = "1h" } }'
            raise MatrixError(self.place(path), f"an override has 'when' and 'set', not {sorted(said)}", hint=hint)
        wanted = self.filter(axes, self.mapping(said["when"], f"{path}.when"), f"{path}.when", may_be_new=True)
        block = Block(tuple(self.assignments(self.mapping(said["set"], f"{path}.set"), f"{path}.set")))
        return Condition(filter=wanted, is_negated=False, block=block, place=self.place(path))

    def filter(self, axes: Axes, said: Table, path: str, *, may_be_new: bool = False) -> Filter:
        """All axes that are named, each with one of the values given. Included rows may have values that no axis lists."""
        if not said:
            raise MatrixError(self.place(path), "an empty table names no combination")
        choices = [
            [(axis, name) for name in self.chosen(axes, axis, value, path, may_be_new)] for axis, value in said.items()
        ]
        alternatives = []
        for combination in product(*choices):
            blocks = tuple((Label(name, axis).long,) for axis, name in combination)
            alternatives.append(Alternative("..".join(block[0] for block in blocks), blocks))
        return Filter(", ".join(each.text for each in alternatives), tuple(alternatives))

    def chosen(self, axes: Axes, axis: str, said: Any, path: str, may_be_new: bool) -> list[str]:
        if axis not in axes:
            raise MatrixError(self.place(path), f"no axis is called {axis!r}{nearest(axis, axes)}")
        several = said if isinstance(said, Sequence) and not isinstance(said, str) else [said]
        names = [self.called(self.text(value, path), path) for value in several]
        for name in names:
            if name not in axes[axis] and not may_be_new:
                raise MatrixError(self.place(path), f"axis {axis!r} has no value {name!r}{nearest(name, axes[axis])}")
        return names

    def assignments(self, values: Table, path: str) -> Iterable[Statement]:
        for key, value in values.items():
            text = self.text(value, f"{path}.{key}")
            yield Assignment(key=key, operator=Operator.SET, value=text, place=self.place(f"{path}.{key}"))

    def tables(self, table: Table, key: str) -> list[tuple[Table, str]]:
        said = table.get(key, [])
        if not isinstance(said, Sequence) or isinstance(said, str):
            raise MatrixError(self.place(key), f"{key!r} is a list of tables, not {said!r}")
        return [(self.mapping(each, f"{key}[{number}]"), f"{key}[{number}]") for number, each in enumerate(said)]

    def mapping(self, said: Any, path: str) -> Table:
        if isinstance(said, Mapping):
            return said
        raise MatrixError(self.place(path), f"{said!r} is no table")

    def text(self, value: Any, path: str) -> str:
        """Values are texts in every row; true and false as TOML writes them."""
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, str | int | float):
            return str(value)
        raise MatrixError(self.place(path), f"{value!r} is neither text, number nor true or false")

    def called(self, value: str, path: str) -> str:
        name = re.sub(r"[^\w-]+", "-", value)
        if not name:
            raise MatrixError(self.place(path), "an empty value cannot name a variant")
        return name


def _beside(values: Table, axis: str, name: str) -> Table:
    """Values without the axis, where it is the name: a stanza sets that by itself."""
    return {key: value for key, value in values.items() if (key, value) != (axis, name)}
