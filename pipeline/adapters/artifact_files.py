"""Content by digest in a folder: `cas/<2>/<sha256>`, read-only files that appear whole and are checked at every read.

It knows no records, no levels of trust, no remote tier. Raises plain `OSError` for what the disk refuses.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

from attrs import frozen

from pipeline.ports.artifacts import Output

PIECE = 2**20
CONTENT_MODE = 0o444


class WrongContent(Exception):
    """The bytes are not those of the digest."""


class Reading(Exception):
    """The bytes could not be read where they come from; the cause says why."""


class Draft:
    """A temporary file that is written and hashed at once."""

    def __init__(self, path: str, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor
        self._hash = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> None:
        """Append."""
        self._hash.update(data)
        self.size += len(data)
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]

    @property
    def sha256(self) -> str:
        """The digest of what was written so far."""
        return self._hash.hexdigest()


@frozen(kw_only=True)
class ContentFiles:
    """Content in `root`, an absolute path; `sync`: whether a power cut costs nothing either."""

    root: str
    sync: bool = True

    def path(self, sha256: str) -> str:
        """Where that content is, if it is there."""
        return os.path.join(self.root, "cas", sha256[:2], sha256)

    def has(self, output: Output) -> bool:
        """Whether there is a file of that name and size; its bytes are not looked at."""
        try:
            found = os.stat(self.path(output.sha256), follow_symlinks=False)
        except OSError:
            return False
        return stat.S_ISREG(found.st_mode) and found.st_size == output.size

    def checked(self, output: Output) -> str | None:
        """The path of content whose every byte has just been read; None when it is absent.

        Raises `WrongContent` after removing what it found to be wrong.
        """
        path = self.path(output.sha256)
        try:
            with open_regular(path) as file:
                right = hashlib.file_digest(file, "sha256").hexdigest() == output.sha256
                right = right and os.fstat(file.fileno()).st_size == output.size
        except FileNotFoundError:
            return None
        if not right:
            self.remove(output.sha256)
            raise WrongContent(path)
        return path

    def add(self, source: Path) -> Output:
        """Take over a file's bytes. Raises `Reading` when the source is to blame."""
        with self.draft() as draft:
            mode = copy_into(source, draft.write)
            self.settle(draft)
        return Output(sha256=draft.sha256, size=draft.size, mode=mode)

    @contextmanager
    def draft(self) -> Iterator[Draft]:
        """A temporary file beside the content; gone afterwards unless it was settled."""
        folder = os.path.join(self.root, "tmp")
        path = os.path.join(folder, f"~{os.getpid():x}.{secrets.token_hex(8)}")
        os.makedirs(folder, exist_ok=True)
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        try:
            yield Draft(path, descriptor)
        finally:
            os.close(descriptor)
            _unlink(path)

    def settle(self, draft: Draft) -> None:
        """Make the draft the content of its digest. What was there before is replaced: it may have been damaged."""
        target = self.path(draft.sha256)
        finish(draft, CONTENT_MODE, sync=self.sync)
        into_place(os.replace, draft.path, target)

    def remove(self, sha256: str) -> None:
        """Make it absent, if that is allowed."""
        try:
            _unlink(self.path(sha256))
        except OSError:
            pass  # A read-only cache; whoever may write to it will find the same.


def finish(draft: Draft, mode: int, *, sync: bool) -> None:
    """Give a draft its mode and bring it to the disk."""
    descriptor = os.open(draft.path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fchmod(descriptor, mode)
        if sync:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def into_place(move: Callable[[str, str], None], path: str, target: str) -> None:
    """Move into a folder that may have to be made first."""
    try:
        move(path, target)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        move(path, target)


def copy_into(source: Path, write: Callable[[bytes], object]) -> int:
    """Hand on the bytes of a regular file; 0o755 or 0o644, as its owner may execute it. Raises `Reading`."""
    try:
        file = open_regular(os.fspath(source))
    except OSError as error:
        raise Reading(str(error)) from error
    with file:
        while piece := _read(file):
            write(piece)
        return 0o755 if os.fstat(file.fileno()).st_mode & 0o100 else 0o644


def _read(file: BufferedReader) -> bytes:
    try:
        return file.read(PIECE)
    except OSError as error:
        raise Reading(str(error)) from error


def open_regular(path: str) -> BufferedReader:
    """Open a regular file; a fifo or device in its place may neither block nor be read."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise FileNotFoundError(2, "not a regular file", path)
    return open(descriptor, "rb")


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
