"""`ports.Journal` in a folder of a directory store: one file `records`, and up to two values that seal it.

Sealing is in two steps, because the sealer and a writer that stalls at any instruction cannot exclude each other:

1. `sealing` is created. From then on no flush succeeds: a writer looks for it before *and after* it writes.
2. The records are read, and `seal` is created with the offset behind the last good one. The first `seal` counts.

So a flush that succeeded wrote before it saw no `sealing`, hence before any sealer read: its records count. Whatever is
written later lies behind the offset in `seal`, and never counts. A sealer that dies between the steps leaves a journal
that anybody can seal. Nothing of tests or workers is known here.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from pipeline.adapters.directory_errors import in_use
from pipeline.adapters.directory_files import read_behind, read_whole, write_at
from pipeline.adapters.record_frames import Frames, decode, encode
from pipeline.errors import Fenced, StoreDamaged, StoreUnavailable

if TYPE_CHECKING:
    from pipeline.adapters.directory_store import DirectoryStore

RECORDS: Final = "records"
SEALING: Final = "sealing"
SEAL: Final = "seal"
SEAL_NAMES: Final = (SEALING, SEAL)

_datasync = getattr(os, "fdatasync", os.fsync)


class DirectoryJournal:
    """The journal below one key. Of all handles in all processes only one may write."""

    def __init__(self, store: DirectoryStore, key: str, *, fsync: bool) -> None:
        self._store = store
        self._key = key
        self._fsync = fsync
        self._pending: list[bytes] = []
        self._descriptor = -1
        self._end = 0
        self._turn = threading.Lock()

    def __del__(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)

    def append(self, record: bytes) -> None:
        """Keep a record for the next flush."""
        self._pending.append(record)

    async def flush(self) -> None:
        """Write what is pending; after `StoreUnavailable` it is still pending. Raises `Fenced`."""
        if not self._pending:
            return
        if not self._fsync:
            self._flush_now()
            return
        import asyncio

        await asyncio.to_thread(self._flush_now)

    async def seal(self) -> str:
        """End what counts; the offset behind it. Raises `StoreDamaged`."""
        await self._store.create(f"{self._key}/{SEALING}", b"")
        position = str(self._frames().end)
        if await self._store.create(f"{self._key}/{SEAL}", position.encode()):
            return position
        first = self._sealed_at()
        if first is None:
            raise StoreUnavailable(f"the journal {self._key!r} has vanished while it was being sealed")
        return str(first)

    async def read(self, upto: str | None = None) -> Sequence[bytes]:
        """The records up to that offset, or up to the seal, or all. Raises `StoreDamaged`."""
        stop = self._sealed_at() if upto is None else int(upto)
        frames = self._frames()
        return frames.records if stop is None else frames.records[: self._count(frames, stop)]

    async def read_from(self, position: str) -> tuple[Sequence[bytes], str]:
        """The records behind that offset, and the offset behind them. Raises `StoreDamaged`."""
        start = int(position or 0)
        data = self._bytes(start)
        if not data:
            return [], position
        stop = self._sealed_at()
        frames = self._decoded(data, start)
        count = len(frames.records) if stop is None else sum(end <= stop for end in frames.ends)
        return frames.records[:count], str(frames.ends[count - 1]) if count else position

    async def late(self) -> int:
        """How many whole records lie behind the seal."""
        stop = self._sealed_at()
        frames = self._frames()
        return 0 if stop is None else len(frames.records) - self._count(frames, stop)

    def _flush_now(self) -> None:
        with self._turn, in_use(f"writing the journal {self._key!r}"):
            folder = self._store.path_for_writing(self._key)
            self._refuse_sealed(folder)
            self._open(folder)
            count = len(self._pending)
            data = encode(self._pending[:count], self._end)
            write_at(self._descriptor, data, self._end)
            if self._fsync:
                _datasync(self._descriptor)
            self._refuse_sealed(folder)
            self._end += len(data)
            del self._pending[:count]

    def _open(self, folder: str) -> None:
        """Open the file behind its last good record; what a dead writer tore off goes."""
        if self._descriptor >= 0:
            return
        self._store.make_folders(folder)
        path = os.path.join(folder, RECORDS)
        self._end = self._frames().end
        self._descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o666)
        os.ftruncate(self._descriptor, self._end)
        if self._fsync:
            _sync_folder(folder)

    def _refuse_sealed(self, folder: str) -> None:
        # Reading the folder, not asking for one name: opening a folder is what makes a network file system look anew.
        try:
            names = os.listdir(folder)
        except FileNotFoundError:
            if self._descriptor >= 0:
                raise StoreUnavailable(f"the journal {self._key!r} has vanished") from None
            return
        if SEALING in names:
            raise Fenced(f"the journal {self._key!r} has been sealed by another party")

    def _frames(self) -> Frames:
        return self._decoded(self._bytes(0), 0)

    def _bytes(self, start: int) -> bytes:
        folder = self._store.path_for_reading(self._key)
        with in_use(f"reading the journal {self._key!r}"):
            return b"" if folder is None else read_behind(os.path.join(folder, RECORDS), start)

    def _decoded(self, data: bytes, origin: int) -> Frames:
        frames = decode(data, origin)
        if frames.damaged_at is not None:
            raise self._damaged(f"bytes from {frames.damaged_at} on are bad, later ones are good")
        return frames

    def _sealed_at(self) -> int | None:
        folder = self._store.path_for_reading(self._key)
        with in_use(f"reading the seal of {self._key!r}"):
            seal = read_whole(os.path.join(folder, SEAL)) if folder is not None else None
        if seal is None:
            return None
        if not seal.isdigit():
            raise self._damaged(f"its seal is {seal[:40]!r}")
        return int(seal)

    def _count(self, frames: Frames, stop: int) -> int:
        """How many records end at or before the offset, which must be the end of one."""
        if stop == 0:
            return 0
        try:
            return frames.ends.index(stop) + 1
        except ValueError:
            raise self._damaged(f"no record ends at its seal, {stop}") from None

    def _damaged(self, reason: str) -> StoreDamaged:
        return StoreDamaged(
            f"the journal {self._key!r} is damaged: {reason}",
            hint="start the run anew: remove it with `doit sweep`; see whether the disk is sound",
        )


def _sync_folder(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
