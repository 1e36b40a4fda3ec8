"""Reads TOML tables: the project's, the user's own, and shared team files pinned by digest.

It parses only files that exist and speak of us. What the tables mean is not its business.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.settings.ledger import Ledger, Problem
from pipeline.settings.provenance import Layer, Place

TABLE = ("tool", "doit-fleet")


class Document(NamedTuple):
    """One file's settings."""

    source: str
    """What people call the file."""
    file: Path
    """Where its text is."""
    table: Mapping[str, Any]
    prefix: tuple[str, ...] = ()
    """The tables around ours."""

    def place(self, layer: Layer, key: tuple[str, ...]) -> Place:
        """Return the place of a key of this file."""
        return Place(layer, self.source, str(self.file), (*self.prefix, *key))


def read_document(ledger: Ledger, file: Path, *, source: str, layer: Layer, prefix: tuple[str, ...] = ()) -> Document:
    """Return the file's settings, empty when there is no such file or it does not speak of us."""
    try:
        content = file.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return Document(source, file, {}, prefix)
    except OSError as error:
        ledger.problems.append(Problem(f"cannot be read: {error.strerror}", Place(layer, source)))
        return Document(source, file, {}, prefix)
    if prefix and prefix[-1].encode() not in content:
        return Document(source, file, {}, prefix)
    return Document(source, file, _inside(_parse(ledger, content, source, layer), prefix), prefix)


def _parse(ledger: Ledger, content: bytes, source: str, layer: Layer) -> Mapping[str, Any]:
    import tomllib

    try:
        return tomllib.loads(content.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        ledger.problems.append(Problem(f"is no TOML: {error}", Place(layer, source)))
        return {}


def _inside(table: Mapping[str, Any], prefix: tuple[str, ...]) -> Mapping[str, Any]:
    found: Any = table
    for name in prefix:
        found = found.get(name, {}) if isinstance(found, Mapping) else {}
    return found if isinstance(found, Mapping) else {}


def read_project(ledger: Ledger, root: Path) -> Document:
    """Return the settings of pyproject.toml or of fleet.toml; both having some is a problem."""
    pyproject = read_document(
        ledger, root / "pyproject.toml", source="pyproject.toml", layer=Layer.PROJECT, prefix=TABLE
    )
    own = read_document(ledger, root / "fleet.toml", source="fleet.toml", layer=Layer.PROJECT)
    if pyproject.table and own.table:
        text = "settings in pyproject.toml ([tool.doit-fleet]) and in fleet.toml; keep one of them"
        ledger.problems.append(Problem(text, own.place(Layer.PROJECT, (next(iter(own.table)),))))
    return own if own.table else pyproject
