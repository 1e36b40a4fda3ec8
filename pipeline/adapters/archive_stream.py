"""The bytes of a tar archive, unpacked as they are read: whole to their end and checksum, and never without end.

`tarfile`'s own streams neither notice that a compressed archive was cut off, nor know limits.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final, cast

from attrs import define

PIECE: Final = 2**20


class EndlessArchive(Exception):
    """An archive has more in it than it may."""


@define
class ArchiveStream:
    """Bytes of an archive, at most `left` of them. What `tarfile` wants of a stream, and no more."""

    source: IO[bytes]
    left: int

    def read(self, size: int) -> bytes:
        """The next bytes. Raises `EndlessArchive`."""
        data = self.source.read(size)
        self.left -= len(data)
        if self.left < 0:
            raise EndlessArchive
        return data

    def finish(self) -> None:
        """Read to the end, where cut off and changed archives are found out."""
        while self.read(PIECE):
            pass


@contextmanager
def archive_stream(archive: Path, limit: int) -> Iterator[ArchiveStream]:
    """The archive's bytes, unpacked if it is gz, bz2 or xz; at most `limit`."""
    with _opened(archive) as source:
        yield ArchiveStream(source, limit)


def _opened(archive: Path) -> IO[bytes]:
    with archive.open("rb") as file:
        start = file.read(6)
    if start.startswith(b"\x1f\x8b"):
        import gzip

        return cast("IO[bytes]", gzip.open(archive))
    if start.startswith(b"BZh"):
        import bz2

        return bz2.open(archive)
    if start.startswith(b"\xfd7zXZ\0"):
        import lzma

        return lzma.open(archive)
    return archive.open("rb")
