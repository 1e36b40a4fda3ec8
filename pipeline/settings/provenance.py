"""Where a value came from: its layer and its place, which a person can open.

Named tuples, not attrs: this is on the way of every `doit`, and importing attrs costs more than layering all settings.
It knows nothing of settings themselves.
"""

from __future__ import annotations

import sys
from enum import IntEnum
from pathlib import Path
from typing import Final, NamedTuple

_HERE: Final = f"{Path(__file__).parent}/"


class Layer(IntEnum):
    """The layers, lowest first; a value of a higher one wins."""

    BUILT_IN = 0
    CONVENTION = 1
    HOME = 2
    EXTENDS = 3
    PROJECT = 4
    PROFILE = 5
    DODO = 6
    ENVIRONMENT = 7
    COMMAND_LINE = 8

    @property
    def title(self) -> str:
        """The layer's name for people."""
        return self.name.lower().replace("_", " ").replace("dodo", "dodo.py").replace("built in", "built-in")


class Place(NamedTuple):
    """One place where something was written. The line of a TOML key is looked up only when somebody asks."""

    layer: Layer
    source: str
    """What people call it: a file relative to the root, a variable, an argument."""
    file: str = ""
    """The TOML file that `key` can be found in, or empty."""
    key: tuple[str, ...] = ()
    line: int = 0

    def __str__(self) -> str:
        line = self.line
        if self.file and self.key:
            from pipeline.settings.scanning import line_of

            line = line_of(self.file, self.key)
        return f"{self.source}:{line}" if line else self.source


class Provenance(NamedTuple):
    """Where a value came from, and where the values it was computed from came from."""

    place: Place
    origins: tuple[tuple[str, Provenance], ...] = ()
    """(setting, its provenance) of each setting this value was computed from."""

    def __str__(self) -> str:
        origins = ", ".join(f"{name} ({origin})" for name, origin in self.origins)
        return f"{self.place}, from {origins}" if origins else str(self.place)


BUILT_IN: Final = Place(Layer.BUILT_IN, "built-in")
INHERITED: Final = Place(Layer.BUILT_IN, "inherited")


def caller(layer: Layer, root: Path | None = None) -> Place:
    """Return the place of the nearest frame outside this package, its file relative to the root where it lies below."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_HERE):
        frame = frame.f_back
    file = Path(frame.f_code.co_filename)
    inside = root is not None and file.is_relative_to(root)
    return Place(layer, str(file.relative_to(root)) if root and inside else str(file), line=frame.f_lineno)
