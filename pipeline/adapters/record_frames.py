"""Records in a file: each framed by where its flush began, its length and a checksum.

Pure functions on bytes. A frame is `F1 4A`, then little-endian: base (8 bytes: offset at which the flush that wrote it
began), length of the record (4), CRC-32 of base, length and record (4), then the record.

Bytes that end in the middle of one flush are a torn tail. A good frame behind bad bytes whose flush began *after* the
bad ones proves damage, because a flush begins only when the one before is durable.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final
from zlib import crc32

from attrs import frozen

MAGIC: Final = b"\xf1J"
_FIELDS = struct.Struct("<QI")
_HEADER = struct.Struct("<2sQII")


@frozen
class Frames:
    """What a file of frames holds."""

    records: list[bytes]
    ends: list[int]
    """Offset behind each record's frame."""
    damaged_at: int | None = None
    """Where bytes are bad although later ones are good."""

    @property
    def end(self) -> int:
        """Offset behind the last good frame."""
        return self.ends[-1] if self.ends else 0


def encode(records: Sequence[bytes], base: int) -> bytes:
    """The frames of one flush that begins at offset `base`."""
    parts: list[bytes] = []
    for record in records:
        fields = _FIELDS.pack(base, len(record))
        parts += (MAGIC, fields, crc32(record, crc32(fields)).to_bytes(4, "little"), record)
    return b"".join(parts)


def decode(data: bytes, origin: int = 0) -> Frames:
    """All good records from the start on. `origin`: where in the file these bytes begin; ends count from there."""
    records: list[bytes] = []
    ends: list[int] = []
    offset = 0
    while (stop := _frame_end(data, offset, origin)) is not None:
        records.append(data[offset + _HEADER.size : stop])
        ends.append(origin + stop)
        offset = stop
    return Frames(records, ends, origin + offset if _has_later_flush(data, offset, origin) else None)


def _frame_end(data: bytes, offset: int, origin: int) -> int | None:
    """Offset behind the frame that starts here, or None when no good one does."""
    start = offset + _HEADER.size
    if start > len(data):
        return None
    magic, base, length, checksum = _HEADER.unpack_from(data, offset)
    stop = start + length
    if magic != MAGIC or stop > len(data) or base > origin + offset:
        return None
    fields = crc32(data[offset + len(MAGIC) : offset + len(MAGIC) + _FIELDS.size])
    return stop if crc32(data[start:stop], fields) == checksum else None


def _has_later_flush(data: bytes, bad: int, origin: int) -> bool:
    offset = data.find(MAGIC, bad + 1)
    while offset != -1:
        if _frame_end(data, offset, origin) is not None and _HEADER.unpack_from(data, offset)[1] > origin + bad:
            return True
        offset = data.find(MAGIC, offset + 1)
    return False
