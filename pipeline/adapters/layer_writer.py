"""Write a layer: entries into a gzipped tar archive whose bytes depend on nothing but the entries.

Digest of the archive and of the blob come from the one pass over the files. Knows no registry.
"""

from __future__ import annotations

import hashlib
import io
import os
import stat
import struct
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

from pipeline.adapters.layer_deflate import deflated
from pipeline.errors import EngineError, UsageError
from pipeline.logic.layer_order import in_order
from pipeline.logic.tar_headers import END, header, padding
from pipeline.model.images import OCI_LAYER, Descriptor, Layer
from pipeline.model.layer_entries import LayerEntry

GZIP_HEADER: Final = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
"""RFC 1952: no flags, no name, no time, system unknown."""
PIECE: Final = 1 << 19
"""Bytes that are hashed and compressed at a time, for ever the same: where a piece ends shows in the blob."""
AGAIN: Final = "let nothing write there while images are made, and start again"


def write_layer(entries: Iterable[LayerEntry], target: BinaryIO, *, created_by: str = "", epoch: int = 0) -> Layer:
    """Write the blob of a layer into `target`; all times in it are `epoch` seconds.

    Raises `UsageError` for entries that contradict each other, `EngineError` for files that cannot be read whole.
    """
    archive, blob = hashlib.sha256(), hashlib.sha256(GZIP_HEADER)
    length, check, written = 0, 0, len(GZIP_HEADER)
    target.write(GZIP_HEADER)

    def counted() -> Iterator[bytes]:
        nonlocal length, check
        for piece in pieces(entries, epoch):
            length, check = length + len(piece), zlib.crc32(piece, check)
            archive.update(piece)
            yield piece

    for packed in deflated(counted()):
        blob.update(packed)
        written += target.write(packed)
    rest = struct.pack("<LL", check, length & 0xFFFFFFFF)
    blob.update(rest)
    written += target.write(rest)
    descriptor = Descriptor(media_type=OCI_LAYER, digest=f"sha256:{blob.hexdigest()}", size=written)
    return Layer(blob=descriptor, diff_id=f"sha256:{archive.hexdigest()}", created_by=created_by)


def small_layer(entries: Iterable[LayerEntry], *, created_by: str = "", epoch: int = 0) -> tuple[Layer, bytes]:
    """A layer that is kept in memory, and its blob. Errors as for `write_layer`."""
    target = io.BytesIO()
    layer = write_layer(entries, target, created_by=created_by, epoch=epoch)
    return layer, target.getvalue()


def diff_id(entries: Iterable[LayerEntry], *, epoch: int = 0) -> str:
    """The digest of the archive, without compressing anything. Errors as for `write_layer`."""
    digest = hashlib.sha256()
    for piece in pieces(entries, epoch):
        digest.update(piece)
    return f"sha256:{digest.hexdigest()}"


def write_archive(entries: Iterable[LayerEntry], target: BinaryIO, *, epoch: int = 0) -> None:
    """Write the tar archive alone, as a Dockerfile's `ADD` takes it. Errors as for `write_layer`."""
    for piece in pieces(entries, epoch):
        target.write(piece)


def pieces(entries: Iterable[LayerEntry], epoch: int) -> Iterator[bytes]:
    """The archive in pieces of `PIECE` bytes; the last may be shorter."""
    waiting = bytearray()
    for part in _parts(entries, epoch):
        waiting += part
        while len(waiting) >= PIECE:
            yield bytes(memoryview(waiting)[:PIECE])
            del waiting[:PIECE]
    waiting += END
    yield bytes(waiting)


def _parts(entries: Iterable[LayerEntry], epoch: int) -> Iterator[bytes]:
    for entry in in_order(entries):
        if isinstance(entry.content, Path):
            yield from _file_parts(entry, entry.content, epoch)
        elif isinstance(entry.content, bytes):
            yield header(entry, len(entry.content), epoch)
            yield entry.content + padding(len(entry.content))
        else:
            yield header(entry, 0, epoch)


def _file_parts(entry: LayerEntry, path: Path, epoch: int) -> Iterator[bytes]:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise EngineError(f"cannot read {str(path)!r} for a layer: {error.strerror}", hint=AGAIN) from error
    try:
        before = os.fstat(handle)
        if not stat.S_ISREG(before.st_mode):
            raise UsageError(f"{str(path)!r} is no regular file and cannot be in a layer")
        yield header(entry, before.st_size, epoch)
        yield from _content(handle, path, before.st_size)
        after = os.fstat(handle)
        if (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
            raise _changed(path)
    finally:
        os.close(handle)
    yield padding(before.st_size)


def _content(handle: int, path: Path, size: int) -> Iterator[bytes]:
    left = size
    while left:
        data = os.read(handle, min(left, PIECE))
        if not data:
            raise _changed(path)
        left -= len(data)
        yield data


def _changed(path: Path) -> EngineError:
    return EngineError(f"{str(path)!r} changed while it was read for a layer", hint=AGAIN)
