"""The other side of an outbox: what a harness said last, even after its death. Read where the harness lives.

The layout is `pipeline.harness.outbox`'s. Reading is safe while the harness writes.
"""

from __future__ import annotations

import mmap
import os
from pathlib import Path

from . import outbox

WORD_BYTES = 8


def prepare_outbox(path: Path) -> bool:
    """Make an empty outbox with all its space reserved, so that writing to the map cannot fail; False: no space."""
    try:
        with path.open("wb") as file:
            _reserve(file.fileno(), outbox.HEADER + outbox.CAPACITY)
    except OSError:
        path.unlink(missing_ok=True)
        return False
    return True


def _reserve(descriptor: int, size: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
    else:
        os.write(descriptor, bytes(size))


class OutboxReader:
    """Map an outbox; without a file there is simply nothing in it."""

    def __init__(self, path: Path) -> None:
        self._map: mmap.mmap | None = None
        try:
            with path.open("r+b") as file:
                found = mmap.mmap(file.fileno(), 0)
        except (OSError, ValueError):
            return
        if len(found) <= outbox.HEADER or len(found) % WORD_BYTES:
            found.close()  # Tests may write this file: it need not be what was prepared.
            return
        self._map = found
        self._words = memoryview(self._map).cast("Q")

    def read(self, start: int) -> bytes:
        """All whole messages from stream position `start` on; empty when that part is not kept (any more)."""
        if self._map is None or self._words[outbox.WORD_MAGIC] != outbox.MAGIC:
            return b""
        total = self._words[outbox.WORD_TOTAL]
        capacity = self._words[outbox.WORD_CAPACITY]
        if capacity != len(self._map) - outbox.HEADER or not self._is_kept(start, total, capacity):
            return b""
        data = self._copy(start, total, capacity)
        return data if self._is_kept(start, total, capacity) else b""

    def read_kept(self) -> bytes:
        """All whole messages that are kept; for the outbox of a harness that has ended."""
        if self._map is None or self._words[outbox.WORD_MAGIC] != outbox.MAGIC:
            return b""
        first = self._words[outbox.WORD_FIRST]
        overwritten = self._words[outbox.WORD_RESERVED] - self._words[outbox.WORD_CAPACITY]
        data = self.read(max(first, overwritten))
        return data.partition(b"\n")[2] if overwritten > first else data

    def close(self) -> None:
        """Unmap."""
        if self._map is not None:
            self._words.release()
            self._map.close()
            self._map = None

    def _is_kept(self, start: int, total: int, capacity: int) -> bool:
        lowest = max(self._words[outbox.WORD_FIRST], self._words[outbox.WORD_RESERVED] - capacity)
        return bool(lowest <= start < total)

    def _copy(self, start: int, total: int, capacity: int) -> bytes:
        assert self._map is not None
        offset = start % capacity
        head = min(total - start, capacity - offset)
        begin = outbox.HEADER + offset
        return self._map[begin : begin + head] + self._map[outbox.HEADER : outbox.HEADER + total - start - head]
