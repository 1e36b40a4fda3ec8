"""`ports.Store` in a directory: each value a file, each journal a folder.

It must not know what the keys mean, but for one thing: which of them end workers and runs, and may therefore use the
reserve of a full disk. Correct between processes of one machine, and on shared volumes that pass `store_probe`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from pipeline.adapters.directory_errors import FULL, being_opened, in_use
from pipeline.adapters.directory_files import overwrite, put_if_absent, read_whole
from pipeline.adapters.directory_format import free_reserve, is_store, make_store, scratch_of
from pipeline.adapters.directory_journal import SEAL_NAMES, DirectoryJournal
from pipeline.adapters.directory_listing import entries_below, remove_below
from pipeline.errors import StoreUnavailable, UsageError
from pipeline.model.keys import check_key, check_prefix
from pipeline.ports import Entry

T = TypeVar("T")

ENDING_PARTS: Final = frozenset({"tombs", "ending", "closed", *SEAL_NAMES})
"""A key with such a part may use the reserve, so that a full disk cannot keep a run from ending in order."""


class DirectoryStore:
    """A store in `path`; nothing is touched before the first use, and reading never makes anything.

    `fsync`: whether values and journals outlive a power cut; everything else holds without it.
    Any use may raise `UsageError` (wrong key or place), `StoreDamaged` (another version's store), `StoreUnavailable`.
    """

    def __init__(self, path: str | os.PathLike[str], *, fsync: bool = True) -> None:
        self._root = os.path.abspath(path)
        self._fsync = fsync
        self._scratch = scratch_of(self._root, sync=fsync)
        self._readable = False
        self._writable = False

    def give_to(self, user: int, group: int) -> None:
        """Let what this process makes from now on belong to workers that run as that user. Needs the right to do so."""
        self._scratch.owner = (user, group)
        self._writable = False

    def make_folders(self, path: str) -> None:
        """Make a folder of the store."""
        self._scratch.make_folders(path)

    async def create(self, key: str, data: bytes) -> bool:
        """Put if absent, whole or not at all."""
        return await self._write(check_key(key), lambda path: put_if_absent(path, data, self._scratch))

    async def replace(self, key: str, data: bytes) -> None:
        """Put, in one step."""
        await self._write(check_key(key), lambda path: overwrite(path, data, self._scratch))

    async def read(self, key: str) -> bytes | None:
        """The value, or None."""
        path = self._path(check_key(key))
        with in_use(f"reading {key!r}"):
            return read_whole(path) if self._is_there() else None

    async def list(self, prefix: str) -> Sequence[Entry]:
        """All keys below the prefix; below a journal's prefix also files of the journal's own."""
        check_prefix(prefix)
        with in_use(f"listing {prefix!r}"):
            return entries_below(self._root, prefix) if self._is_there() else []

    async def delete(self, prefix: str) -> int:
        """Remove keys in sorted order, journals too."""
        import asyncio

        if not check_prefix(prefix):
            raise UsageError("will not delete a whole store", hint="name a prefix")
        with in_use(f"deleting {prefix!r}"):
            return await asyncio.to_thread(remove_below, self._root, prefix) if self._is_there() else 0

    def journal(self, prefix: str) -> DirectoryJournal:
        """The journal in the folder of that name."""
        return DirectoryJournal(self, check_key(prefix.rstrip("/")), fsync=self._fsync)

    def path_for_reading(self, key: str) -> str | None:
        """Where the key's file or folder would be; None when there is no store yet."""
        return self._path(key) if self._is_there() else None

    def path_for_writing(self, key: str) -> str:
        """Where the key's file or folder belongs, in a store that is there after this call."""
        if not self._writable:
            with being_opened(self._root):
                make_store(self._root, self._scratch)
            self._readable = self._writable = True
        return self._path(key)

    async def _write(self, key: str, put: Callable[[str], T]) -> T:
        if not self._fsync:
            return self._write_now(key, put)
        import asyncio

        return await asyncio.to_thread(self._write_now, key, put)

    def _write_now(self, key: str, put: Callable[[str], T]) -> T:
        path = self.path_for_writing(key)
        with in_use(f"writing {key!r}"):
            try:
                return put(path)
            except FileNotFoundError as error:
                self._writable = False  # The whole store may have been removed; the next write makes it anew.
                raise StoreUnavailable(f"writing {key!r}: the store's folders have vanished") from error
            except OSError as error:
                if error.errno not in FULL or ENDING_PARTS.isdisjoint(key.split("/")):
                    raise
            free_reserve(self._root)
            return put(path)

    def _is_there(self) -> bool:
        if not self._readable:
            with being_opened(self._root):
                self._readable = is_store(self._root)
        return self._readable

    def _path(self, key: str) -> str:
        return os.path.join(self._root, key)
