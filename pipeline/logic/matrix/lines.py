"""Text as lines with their indentation: blank ones and comments are gone, tabs are spaces to the next multiple of eight.

Knows no statements. A line that holds a second statement (`filter: key = value`) gives it back with `push`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from attrs import define, frozen

from pipeline.logic.matrix.places import Place

COMMENTS: Final = ("#", "//")


@frozen
class Line:
    """One line without its indentation and trailing blanks."""

    text: str
    indent: int
    place: Place


def lines_of(text: str, file: str) -> Iterator[Line]:
    """The lines that say something, numbered from 1."""
    for number, raw in enumerate(text.splitlines(), start=1):
        whole = raw.rstrip().expandtabs()
        said = whole.lstrip()
        if said and not said.startswith(COMMENTS):
            yield Line(said, len(whole) - len(said), Place(file, number))


@define
class Cursor:
    """The lines still to read, the next one last."""

    _left: list[Line]

    @classmethod
    def over(cls, text: str, file: str) -> Cursor:
        """A cursor before the first line."""
        return cls(list(lines_of(text, file))[::-1])

    def take(self, deeper_than: int) -> Line | None:
        """The next line when it is indented deeper than that; else none, and it stays."""
        return self._left.pop() if self._left and self._left[-1].indent > deeper_than else None

    def push(self, line: Line) -> None:
        """Make this the next line."""
        self._left.append(line)
