"""Values as files that appear whole: written under a temporary name, synced, then linked or renamed into place.

It knows paths and bytes, nothing of keys or formats. Raises plain `OSError`; its callers say what that means.
"""

from __future__ import annotations

import errno
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from attrs import define, field

_ATTEMPTS = 5
"""A parent folder may be pruned by a deletion between making and using it; that often in a row is no coincidence."""
_STALE_SECONDS = 3600.0


@define
class Scratch:
    """Where values are written before they appear; on the file system of the store itself."""

    folder: str
    sync: bool
    owner: tuple[int, int] | None = None
    """User and group of what is made; None: whoever makes it."""
    _stamp: int = field(default=0, init=False)

    @contextmanager
    def file(self, data: bytes) -> Iterator[tuple[str, int]]:
        """A temporary file with these bytes, as (path, open descriptor); gone afterwards."""
        path = os.path.join(self.folder, f"~{os.getpid():x}.{secrets.token_hex(8)}")
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o666)
        try:
            if self.owner is not None:
                os.fchown(descriptor, *self.owner)
            write_at(descriptor, data, 0)
            os.utime(descriptor, ns=(self._next_stamp(),) * 2)
            if self.sync:
                os.fsync(descriptor)
            yield path, descriptor
        finally:
            os.close(descriptor)
            with _absence_is_fine():
                os.unlink(path)

    def make_folders(self, path: str) -> None:
        """Make a folder and those above it that are missing."""
        missing = []
        while not os.path.isdir(path):
            missing.append(path)
            path = os.path.dirname(path)
        for folder in reversed(missing):
            os.makedirs(folder, exist_ok=True)
            if self.owner is not None:
                os.chown(folder, *self.owner)

    def sweep(self) -> None:
        """Remove what dead writers left an hour ago, by the file system's clock. A living one would merely fail."""
        with self.file(b"") as (_, descriptor):
            now = os.fstat(descriptor).st_ctime
            with os.scandir(self.folder) as entries:
                for entry in entries:
                    with _absence_is_fine():
                        if now - entry.stat(follow_symlinks=False).st_ctime > _STALE_SECONDS:
                            os.unlink(entry.path)

    def _next_stamp(self) -> int:
        """A time of change that this writer has never given before, even within one tick of the system's clock."""
        self._stamp = max(self._stamp + 1000, time.time_ns())
        return self._stamp


def put_if_absent(target: str, data: bytes, scratch: Scratch) -> bool:
    """Make `target` appear with these bytes; False when something of that name was there before."""
    with scratch.file(data) as (path, descriptor):
        try:
            _into_place(os.link, path, target, scratch)
        except OSError as error:
            # Over a network a link may be made and its answer lost; the count of links knows.
            if os.fstat(descriptor).st_nlink == 2:
                return True
            if error.errno != errno.EEXIST:
                raise
            if os.path.isdir(target):
                raise OSError(errno.EISDIR, os.strerror(errno.EISDIR)) from error
            return False
        return True


def overwrite(target: str, data: bytes, scratch: Scratch) -> None:
    """Give `target` these bytes in one step, whether or not it was there."""
    with scratch.file(data) as (path, _):
        _into_place(os.replace, path, target, scratch)


def read_whole(path: str) -> bytes | None:
    """The file's bytes, or None when there is no such file."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None


def read_behind(path: str, offset: int) -> bytes:
    """The file's bytes from there on; none when there is no such file."""
    try:
        with open(path, "rb", buffering=0) as file:
            file.seek(offset)
            return file.read()
    except FileNotFoundError:
        return b""


def write_at(descriptor: int, data: bytes, offset: int) -> None:
    """Write all bytes at that place; a repetition after a failure leaves the same file."""
    done = os.pwrite(descriptor, data, offset)
    while done < len(data):
        done += os.pwrite(descriptor, data[done:], offset + done)


def _into_place(move: Callable[[str, str], None], path: str, target: str, scratch: Scratch) -> None:
    for _ in range(_ATTEMPTS):
        try:
            move(path, target)
            return
        except FileNotFoundError:
            scratch.make_folders(os.path.dirname(target))
    move(path, target)


@contextmanager
def _absence_is_fine() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        pass
