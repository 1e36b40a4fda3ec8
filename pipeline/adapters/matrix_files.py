"""Files of a matrix: what `include` names, beside the file that includes it or along a search path.

Knows nothing of what the files say.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from attrs import field, frozen

from pipeline.errors import UsageError
from pipeline.logic.matrix.nearest import nearest
from pipeline.logic.matrix.places import MatrixError, Place

MOST_BYTES = 2**26
"""Of one file; what is larger was not written as a matrix."""


@frozen
class MatrixFiles:
    """Reads includes; relative ones beside the including file first, then in each folder of the search path."""

    root: Path
    """Where relative includes of texts that are no files are looked for, and what messages leave out."""
    search: Sequence[Path] = field(factory=tuple)
    names: set[str] = field(factory=set, eq=False)
    """Of the files that have been read."""

    def __call__(self, path: str, place: Place) -> tuple[str, str]:
        """(name for messages, text). Raises `MatrixError`."""
        beside = (self.root / place.file).parent if not place.file.startswith("<") else self.root
        wanted = Path(path).expanduser()
        tried = [folder / wanted for folder in (beside, *self.search)]
        for file in dict.fromkeys(tried):
            if file.is_file():
                return self.read(file, place)
        names = {each.name for file in tried if file.parent.is_dir() for each in file.parent.iterdir()}
        hint = "looked in " + ", ".join(str(file.parent) for file in dict.fromkeys(tried))
        raise MatrixError(place, f"include {path!r}: no such file{nearest(wanted.name, names)}", hint=hint)

    def read(self, file: Path, place: Place | None = None) -> tuple[str, str]:
        """One file, named relative to the root where it lies below it. Raises `UsageError`."""
        name = str(file.relative_to(self.root)) if file.is_relative_to(self.root) else str(file)
        where = place or Place(name, 0)
        try:
            if file.stat().st_size > MOST_BYTES:
                raise MatrixError(where, f"{name!r} is larger than {MOST_BYTES} bytes")
            self.names.add(name)
            return name, file.read_text("utf-8")
        except UnicodeDecodeError:
            raise MatrixError(where, f"{name!r} is not UTF-8 text") from None
        except OSError as problem:
            raise UsageError(f"matrix {name!r} cannot be read: {problem.strerror}") from None
