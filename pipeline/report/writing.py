"""Report files written whole or not at all: a temporary file beside the target, then a rename.

Knows nothing of what is written. What goes wrong is an `EngineError` that names the file, so that one report's failure
need not stop the others.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from pipeline.errors import EngineError

BUFFER_BYTES = 1 << 20


@contextmanager
def whole_file(path: Path) -> Iterator[TextIO]:
    """Open a text file that takes its place when the block ends well, and leaves no trace otherwise.

    UTF-8; halves of characters, which no encoding has, are written as `\\udc80`. Raises `EngineError`.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(part, "w", encoding="utf-8", errors="backslashreplace", newline="\n", buffering=BUFFER_BYTES) as file:
            yield file
        os.replace(part, path)
    except OSError as error:
        raise not_written(path, error) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def not_written(path: Path, error: OSError) -> EngineError:
    """The error that says why a report is missing."""
    reason = error.strerror or str(error)
    return EngineError(
        f"report {str(path)!r} cannot be written: {reason}",
        hint="free some space or choose another directory for reports; `doit gather` writes them again",
    )
