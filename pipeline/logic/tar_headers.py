"""Headers of a tar archive, of the same bytes for the same entry: POSIX ustar, with a PAX header only where needed.

Format: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html. Pure. The standard library's writer knows
neither less nor more, but takes three times as long for small files.
"""

from __future__ import annotations

import os
from typing import Final

from pipeline.model.layer_entries import Folder, LayerEntry, Symlink

BLOCK: Final = 512
END: Final = bytes(2 * BLOCK)
"""Two empty blocks end an archive."""
LARGEST_SIZE: Final = 8**11 - 1
LARGEST_ID: Final = 8**7 - 1
NAME, PREFIX = 100, 155


def padding(size: int) -> bytes:
    """What fills the last block of a file of `size` bytes."""
    return bytes(-size % BLOCK)


def header(entry: LayerEntry, size: int, epoch: int) -> bytes:
    """The header blocks of an entry: `size` bytes of content follow, all times are `epoch` seconds."""
    name = entry.name + b"/" if isinstance(entry.content, Folder) else entry.name
    link = os.fsencode(entry.content.target) if isinstance(entry.content, Symlink) else b""
    prefix, last = _split(name)
    records = _records(entry, name if prefix is None else b"", link, size)
    block = _block(
        last if prefix is not None else _ascii(name)[:NAME],
        _mode(entry.mode, min(entry.uid, LARGEST_ID), min(entry.gid, LARGEST_ID)),
        _numbers(min(size, LARGEST_SIZE), epoch),
        _kind(entry),
        _ascii(link)[:NAME],
        prefix or b"",
    )
    return _extended(records, epoch) + block if records else block


def _kind(entry: LayerEntry) -> bytes:
    if isinstance(entry.content, Folder):
        return b"5"
    return b"2" if isinstance(entry.content, Symlink) else b"0"


def _split(name: bytes) -> tuple[bytes | None, bytes]:
    """(prefix, name) as ustar can hold them; a prefix of None: it cannot."""
    if not name.isascii():
        return None, b""
    if len(name) <= NAME:
        return b"", name
    at = name.find(b"/", len(name) - NAME - 1, len(name) - 1)
    return (name[:at], name[at + 1 :]) if 0 < at <= PREFIX else (None, b"")


def _records(entry: LayerEntry, name: bytes, link: bytes, size: int) -> list[tuple[bytes, bytes]]:
    """What only a PAX header can say."""
    records = []
    if name:
        records.append((b"path", name))
    if len(link) > NAME or not link.isascii():
        records.append((b"linkpath", link))
    if size > LARGEST_SIZE:
        records.append((b"size", b"%d" % size))
    records += [(key, b"%d" % n) for key, n in ((b"uid", entry.uid), (b"gid", entry.gid)) if n > LARGEST_ID]
    if any(not _is_utf8(value) for _, value in records):
        records.insert(0, (b"hdrcharset", b"BINARY"))
    return records


def _extended(records: list[tuple[bytes, bytes]], epoch: int) -> bytes:
    data = b"".join(_record(key, value) for key, value in records)
    block = _block(b"././@PaxHeader", _mode(0o644, 0, 0), _numbers(len(data), epoch), b"x", b"", b"")
    return block + data + padding(len(data))


def _record(key: bytes, value: bytes) -> bytes:
    rest = len(key) + len(value) + 3
    size = rest + len(str(rest))
    size = rest + len(str(size))  # Its own digits count, and may have become one more.
    return b"%d %b=%b\n" % (size, key, value)


def _mode(mode: int, uid: int, gid: int) -> bytes:
    return b"%07o\0%07o\0%07o\0" % (mode & 0o7777, uid, gid)


def _numbers(size: int, epoch: int) -> bytes:
    return b"%011o\0%011o\0" % (size, epoch)


def _block(name: bytes, mode: bytes, numbers: bytes, kind: bytes, link: bytes, prefix: bytes) -> bytes:
    start = name.ljust(NAME, b"\0") + mode + numbers
    rest = kind + link.ljust(NAME, b"\0") + b"ustar\x0000" + bytes(64) + b"0000000\x000000000\0"
    end = rest + prefix.ljust(PREFIX + 12, b"\0")
    return b"%b%06o\0 %b" % (start, sum(start) + sum(end) + 8 * 32, end)


def _ascii(name: bytes) -> bytes:
    return name if name.isascii() else bytes(byte if byte < 128 else 63 for byte in name)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
