"""The harness's outgoing stream, kept in memory that outlives it: a ring in a mapped file.

Each message is put here before anything else happens to it, so that a sudden death loses nothing that was said. Layout:
eight 64-bit words (native order), then the ring; byte p of the stream lies at `HEADER + p % capacity`.
"""

from __future__ import annotations

import mmap
import os

HEADER = 64
MAGIC = 0x646F697466313031
"""Written last when the file is made ready: a reader that does not find it reads nothing."""
CAPACITY = 1 << 20

WORD_MAGIC, WORD_CAPACITY, WORD_FIRST, WORD_RESERVED, WORD_TOTAL = range(5)
"""FIRST: nothing below this position is kept. RESERVED: what is being written ends here. TOTAL: all before is whole."""


class Outbox:
    """Append to the ring; remember which part still has to be sent."""

    def __init__(self, path: str | None) -> None:
        self._map = _map_file(path) or mmap.mmap(-1, HEADER + CAPACITY)
        self.capacity = len(self._map) - HEADER
        self._words = memoryview(self._map).cast("Q")
        self._words[WORD_CAPACITY] = self.capacity
        self._words[WORD_MAGIC] = MAGIC

    @property
    def total(self) -> int:
        """The stream's length; one store in memory moves it, so a signal handler that raises cannot tear it."""
        return self._words[WORD_TOTAL]

    def append(self, data: bytes) -> None:
        """Keep `data`, which must not be longer than the ring."""
        total = self.total
        end = total + len(data)
        offset = total % self.capacity
        head = min(len(data), self.capacity - offset)
        words = self._words
        words[WORD_RESERVED] = end
        start = HEADER + offset
        self._map[start : start + head] = data[:head]
        if head < len(data):
            self._map[HEADER : HEADER + len(data) - head] = data[head:]
        words[WORD_TOTAL] = end

    def leap(self, count: int) -> None:
        """Count bytes that went another way because the ring could not hold them."""
        end = self.total + count
        self._words[WORD_FIRST] = end
        self._words[WORD_RESERVED] = end
        self._words[WORD_TOTAL] = end

    def read(self, start: int, limit: int) -> bytes:
        """Bytes from position `start`, at most `limit`, perhaps fewer at the ring's end."""
        offset = start % self.capacity
        count = min(self.total - start, self.capacity - offset, limit)
        return self._map[HEADER + offset : HEADER + offset + count]


def _map_file(path: str | None) -> mmap.mmap | None:
    if not path:
        return None
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return mmap.mmap(descriptor, 0) if os.fstat(descriptor).st_size > HEADER else None
    except (OSError, ValueError):
        return None
    finally:
        os.close(descriptor)
