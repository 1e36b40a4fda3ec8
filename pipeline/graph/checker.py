"""Decides whether a file a task depends on has changed: by content, whatever its times say.

Equal identity (times, inode, size) is only a short cut; BLAKE2 is the truth. For the user's own tasks, ours have
digests of their own.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from hashlib import blake2b

from doit.dependency import FileChangedChecker  # type: ignore[import-untyped]

RACY_NANOSECONDS = 50_000_000
"""A file changed so recently may change again without its times showing it: then only the content counts."""


class ContentChecker(FileChangedChecker):  # type: ignore[misc]
    """State of a file: [[mtime ns, ctime ns, inode, size], digest]."""

    def check_modified(self, file_path: str, file_stat: os.stat_result, state: Sequence[object]) -> bool:
        """Whether the file's content differs from that of the saved state."""
        identity, digest = state
        return identity != _identity(file_stat) and digest != _digest(file_path)

    def get_state(self, dep: str, current_state: Sequence[object] | None) -> list[object] | None:
        """The state to save, or None when the saved one is still right."""
        stat = os.stat(dep)
        if current_state and current_state[0] == _identity(stat):
            return None
        is_racy = time.time_ns() - stat.st_ctime_ns < RACY_NANOSECONDS
        return [None if is_racy else _identity(stat), _digest(dep)]


def _identity(stat: os.stat_result) -> list[int]:
    return [stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino, stat.st_size]


def _digest(path: str) -> str:
    hasher = blake2b(digest_size=32)
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            hasher.update(chunk)
    return hasher.hexdigest()
