"""One file's digest, and the signature that says whether it may have changed since.

Never opens what is no regular file, so that a pipe in a project hangs nobody. Which files there are is not known here.
"""

from __future__ import annotations

import os
import stat
from hashlib import blake2b
from typing import Final

Signature = list[int]
"""Mode, size, times, inode; for a link those of its target as well. Plain, so that JSON gives back an equal one."""

UNREADABLE: Final = "unreadable"
_CHUNK = 1 << 20


def signature(path: str, folder: int) -> Signature:
    """Of a path relative to an open folder. Raises `OSError`."""
    found = os.stat(path, dir_fd=folder, follow_symlinks=False)
    own = [found.st_mode, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino]
    if not stat.S_ISLNK(found.st_mode):
        return own
    try:
        target = os.stat(path, dir_fd=folder)
    except OSError:
        return own
    return [*own, target.st_mode, target.st_size, target.st_mtime_ns, target.st_ctime_ns, target.st_ino]


def is_folder(sign: Signature) -> bool:
    """Whether the signature is of a folder itself, not of a link to one."""
    return stat.S_ISDIR(sign[0])


def changed_at(sign: Signature) -> int:
    """The latest change of the inode or its target, nanoseconds by the file system's clock; it cannot be forged."""
    return max(sign[3::5])


def content_digest(path: str, sign: Signature) -> str:
    """What of the file may decide a verdict: kind, executable or not, bytes; of a link its text and its target's bytes."""
    mode = sign[0]
    if stat.S_ISLNK(mode):
        return _link_digest(path, sign)
    if not stat.S_ISREG(mode):
        return f"special-{stat.S_IFMT(mode):o}"
    return ("x" if mode & 0o111 else "") + _hash(path)


def _link_digest(path: str, sign: Signature) -> str:
    try:
        text = blake2b(os.fsencode(os.readlink(path)), digest_size=16).hexdigest()
    except OSError:
        return UNREADABLE
    is_file = len(sign) > 5 and stat.S_ISREG(sign[5])
    return f"link-{text}-{_hash(path)}" if is_file else f"link-{text}"


def _hash(path: str) -> str:
    hashed = blake2b(digest_size=16)
    try:
        with open(path, "rb", buffering=0) as file:
            while chunk := file.read(_CHUNK):
                hashed.update(chunk)
    except OSError:
        return UNREADABLE
    return hashed.hexdigest()
