"""Carries a table of raw values into the ledger: names checked, values typed, every mistake noted with its place.

One table is a TOML file's, or one variable or argument spelled as a table. It realises no settings object; it walks
the classes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from pipeline.settings.container import NAME, Container
from pipeline.settings.declaration import Declaration, Member, Nested
from pipeline.settings.kinds import Kind, WrongValue
from pipeline.settings.ledger import Ledger, Path, Problem, Write, fold
from pipeline.settings.provenance import Place
from pipeline.settings.secret import is_secret_table
from pipeline.settings.suggestion import did_you_mean

Members = Mapping[str, Member]


class Text(str):
    """A raw value that came as text, so its kind must read it first."""


class Source(NamedTuple):
    """What the walk must know of the layer a table comes from."""

    place: Callable[[Path], Place]
    """The place of a key of this table."""
    names_elements: bool
    """Whether elements of containers may come into being here."""
    folds: bool = False
    """Whether names come in another case, as in environment variables."""


class Walk:
    """One walk through one table. Nothing but problems is in the ledger before one of the `enter` methods is called."""

    def __init__(self, ledger: Ledger, source: Source) -> None:
        self._ledger, self._source = ledger, source
        self.found: list[tuple[Path, Write]] = []
        self._elements: list[tuple[Path, str, Place]] = []

    def enter_values(self) -> None:
        """Write the values found into the ledger."""
        for path, write in self.found:
            self._ledger.cell(path).writes.append(write)

    def enter_names(self) -> None:
        """Make the elements named, or note that they were spoken of where none can be made."""
        for container, name, place in self._elements:
            if self._source.names_elements:
                self._ledger.name_element(container, name, place)
            else:
                self._ledger.mentions.append((container, name, place))

    def table(self, members: Members, table: Mapping[str, object], path: Path = ()) -> None:
        """Walk a settings object's table."""
        for key, value in table.items():
            name = fold(key) if self._source.folds else key
            member, here = members.get(name), (*path, name)
            if member is None:
                self._problem(here, f"unknown setting {'.'.join(here)!r}{self._suggest(name, members, path)}")
            elif isinstance(member, Declaration):
                self._setting(member.kind, value, here)
            elif isinstance(member, Nested):
                self._inner(member, value, here)

    def _inner(self, member: Nested[Any], value: object, path: Path) -> None:
        if not isinstance(value, Mapping):
            self._problem(path, f"{'.'.join(path)!r} holds settings, expected a table, got {str(value)!r}")
        elif issubclass(member.kind, Container):
            for name, inner in value.items():
                self._element(member.kind, name, inner, (*path, name))
        else:
            self.table(member.kind._members, value, path)

    def _element(self, container: type[Container[Any]], name: str, value: object, path: Path) -> None:
        if not re.fullmatch(NAME, name):
            self._problem(path, f"{name!r} is no name (letters, digits, '-' and '_')")
        elif not isinstance(value, Mapping):
            self._problem(path, f"{'.'.join(path)!r} holds settings, expected a table, got {str(value)!r}")
        else:
            self._elements.append((path[:-1], name, self._source.place(path)))
            self.table(container.element._members, value, path)

    def _setting(self, kind: Kind[Any], value: object, path: Path) -> None:
        if not kind.joins or not isinstance(value, Mapping) or is_secret_table(value):
            self._write(kind, value, path, path, joined=False)
        elif kind.joins == "list":
            self._list_directives(kind, value, path)
        else:
            self._map_directives(kind, value, path)

    def _list_directives(self, kind: Kind[Any], value: Mapping[str, object], path: Path) -> None:
        for key, items in value.items():
            word = fold(key) if self._source.folds else key
            if word in ("append", "replace"):
                self._write(kind, items, path, (*path, key), joined=word == "append")
            else:
                self._problem(
                    (*path, key), f"unknown setting {'.'.join((*path, key))!r}{did_you_mean(key, ['append'])}"
                )

    def _map_directives(self, kind: Kind[Any], value: Mapping[str, object], path: Path) -> None:
        plain = dict(value)
        for word in ("replace", "append"):
            key = word.upper() if self._source.folds else word
            if isinstance(plain.get(key), (Mapping, Text)) and not is_secret_table(plain[key]):
                self._write(kind, plain.pop(key), path, (*path, key), joined=word == "append")
        if plain:
            self._write(kind, plain, path, path, joined=True)

    def _write(self, kind: Kind[Any], value: object, path: Path, key: Path, *, joined: bool) -> None:
        place = self._source.place(key)
        try:
            raw = kind.read(str(value)) if isinstance(value, Text) else value
            self.found.append((path, Write(place, kind.parse(raw, self._ledger.context), joined)))
        except WrongValue as error:
            self._problem(key, f"setting {'.'.join(path)!r}: {error}")

    def _problem(self, path: Path, text: str) -> None:
        self._ledger.problems.append(Problem(text, self._source.place(path)))

    def _suggest(self, name: str, members: Members, path: Path) -> str:
        from difflib import get_close_matches

        if path or get_close_matches(name, members, n=1):
            return did_you_mean(name, members)
        elsewhere = [full for full in leaves(members) if full.split(".")[-1] == name]
        return f" (did you mean {elsewhere[0]!r}?)" if elsewhere else did_you_mean(name, members)


def leaves(members: Members, path: Path = ()) -> Iterable[str]:
    """Return the dotted names of all settings, `*` standing for the names of elements."""
    for name, member in members.items():
        here = (*path, name)
        if isinstance(member, Declaration):
            yield ".".join(here)
        elif isinstance(member, Nested) and issubclass(member.kind, Container):
            yield from leaves(member.kind.element._members, (*here, "*"))
        elif isinstance(member, Nested):
            yield from leaves(member.kind._members, here)
