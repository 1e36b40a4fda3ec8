"""Everything written so far, by setting, before any settings object exists.

Files, arguments and dodo.py write here by name, so that containers need not realise their elements. It knows layers,
finality and cycles, no types.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from pipeline.errors import SettingsError
from pipeline.settings.kinds import Context
from pipeline.settings.provenance import Layer, Place

Path = tuple[str, ...]


class Write(NamedTuple):
    """One value, or provider of one, that somebody gave to a setting."""

    place: Place
    value: Any
    joined: bool = False
    """Append to the lower layers' value instead of replacing it."""


class Problem(NamedTuple):
    """Something wrong with the settings, and where."""

    text: str
    place: Place | None = None

    def __str__(self) -> str:
        return f"{self.place}: {self.text}" if self.place else self.text


class Cell:
    """What is known of one setting: the writes in the order they came, and its final value once read."""

    __slots__ = ("reader", "value", "writes")

    def __init__(self) -> None:
        self.writes: list[Write] = []
        self.reader = ""
        """Who read it first; empty while it may still be set."""
        self.value: Any = None


def fold(name: str) -> str:
    """Return the form in which names are compared: environment variables know neither lower case nor hyphens."""
    return name.lower().replace("-", "_")


class Ledger:
    """The writes of all layers, the elements named in containers, and what was found wrong."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.layer = Layer.CONVENTION
        """The layer that `set` in Python writes to: conventions only, until dodo.py begins."""
        self.configuring = True
        """While dodo.py may still change things, reading does not insist on settings without problems."""
        self.problems: list[Problem] = []
        self.elements: dict[Path, dict[str, Place]] = {}
        self.mentions: list[tuple[Path, str, Place]] = []
        """(container, name, place) of elements that were spoken of where they cannot be made."""
        self.profile = ""
        """The profile selected, or empty."""
        self.profiles: dict[str, Place] = {}
        """The profiles there are, and where each was first named."""
        self.dormant: list[tuple[Path, Write]] = []
        """What the profiles not selected would write."""
        self._cells: dict[Path, Cell] = {}
        self._resolving: list[str] = []

    def cell(self, path: Path) -> Cell:
        """Return the cell of a setting, however its name was written."""
        folded = tuple(map(fold, path))
        if folded not in self._cells:
            self._cells[folded] = Cell()
        return self._cells[folded]

    def name_element(self, container: Path, name: str, place: Place) -> None:
        """Remember that a container has an element of that name."""
        names = self.elements.setdefault(container, {})
        for other, first in names.items():
            if fold(other) == fold(name) and other != name:
                text = f"names {other!r} ({first}) and {name!r} of {'.'.join(container)} differ too little"
                self.problems.append(Problem(text, place))
        names.setdefault(name, place)

    @contextmanager
    def resolving(self, name: str) -> Iterator[None]:
        """Notice when a setting waits for itself. Raises `SettingsError` with the way round."""
        if name in self._resolving:
            way = " -> ".join([*self._resolving[self._resolving.index(name) :], name])
            raise SettingsError(f"settings wait for each other: {way}", hint="give one of them a value of its own")
        self._resolving.append(name)
        try:
            yield
        finally:
            self._resolving.pop()

    def insist(self) -> None:
        """Raise every problem found so far at once, as one `SettingsError`; nothing when there is none."""
        texts = tuple(dict.fromkeys(map(str, self.problems)))
        if not texts:
            return
        lines = "".join(f"\n  {text}" for text in texts)
        error = SettingsError(texts[0] if len(texts) == 1 else f"{len(texts)} problems in the settings:{lines}")
        error.problems = texts
        raise error
