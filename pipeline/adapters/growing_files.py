"""Read files while somebody still writes them, and new ones that appear beside them. It must not know whose they are."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

LOOK_SECONDS: Final = 0.3
PIECE_BYTES: Final = 65536


def follow_files(find: Callable[[], Iterable[Path]], is_over: Callable[[], bool]) -> Iterator[tuple[Path, bytes]]:
    """Pieces of files as they grow, until all is over, and what was written by then. One that vanishes is at its end."""
    read: dict[Path, int] = {}
    while True:
        was_over = is_over()
        for path in find():
            yield from ((path, piece) for piece in _more(path, read))
        if was_over:
            return
        time.sleep(LOOK_SECONDS)


def _more(path: Path, read: dict[Path, int]) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            file.seek(read.get(path, 0))
            while piece := file.read(PIECE_BYTES):
                read[path] = read.get(path, 0) + len(piece)
                yield piece
    except OSError:
        return
