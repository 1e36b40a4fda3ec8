"""Where a line of a matrix stands, and the error of a line that is wrong. Knows no statements."""

from __future__ import annotations

from attrs import frozen

from pipeline.errors import UsageError


@frozen
class Place:
    """A line of a file, or of a string that has a name of its own (`<string>`); line 0 means the whole."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


class MatrixError(UsageError):
    """A line of a matrix that cannot be read or cannot mean anything; `place` says which."""

    def __init__(self, place: Place, message: str, *, hint: str = "") -> None:
        super().__init__(f"{place}: {message}", hint=hint)
        self.place = place
