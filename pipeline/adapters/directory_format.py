"""What makes a directory a store: a marker with the format's version, a folder for temporary files, a reserve.

Their names start with `~`, which no key may. Values and journals are not known here.
"""

from __future__ import annotations

import os
import re
from typing import Final

from pipeline.adapters.directory_files import Scratch, put_if_absent, read_whole
from pipeline.errors import StoreDamaged, UsageError

VERSION: Final = 1
OURS: Final = "~"
"""First character of all names that are not part of a key."""
RESERVE_BYTES: Final = 1 << 20
_MARKER = "~store"
_RESERVE = "~reserve"
_SCRATCH = "~tmp"


def scratch_of(root: str, *, sync: bool) -> Scratch:
    """The store's folder for temporary files, whether or not it is there yet."""
    return Scratch(os.path.join(root, _SCRATCH), sync)


def is_store(root: str) -> bool:
    """Whether there is a store of this version; False for a missing or empty directory.

    Raises `StoreDamaged` for another version's store, `UsageError` for a directory that holds something else.
    """
    marker = read_whole(os.path.join(root, _MARKER))
    if marker is None and not _has_strange_content(root):
        return False
    if marker is None:  # Another party may have made the store since the first look.
        marker = read_whole(os.path.join(root, _MARKER))
    if marker is None:
        raise UsageError(
            f"{root!r} is not a store and not empty", hint="name a folder of its own: store.url=/some/folder"
        )
    _check_version(root, marker)
    return True


def make_store(root: str, scratch: Scratch) -> None:
    """Make the directory a store, or see that it is one; sweeps temporary files and refills the reserve."""
    known = is_store(root)
    os.makedirs(scratch.folder, exist_ok=True)
    if scratch.owner is not None:
        _give_folders(root, scratch.owner)
    if not known and not put_if_absent(os.path.join(root, _MARKER), f"doit-fleet store {VERSION}\n".encode(), scratch):
        is_store(root)
    scratch.sweep()
    _fill_reserve(root, scratch)


def free_reserve(root: str) -> None:
    """Give the reserve's space back to a full disk, for what ends workers and runs."""
    try:
        os.unlink(os.path.join(root, _RESERVE))
    except FileNotFoundError:
        pass


def _give_folders(root: str, owner: tuple[int, int]) -> None:
    """Let the owner go on with runs that were begun without it: whoever owns a folder may make files in it."""
    for folder, _, _ in os.walk(root):
        found = os.stat(folder)
        if (found.st_uid, found.st_gid) != owner:
            os.chown(folder, *owner)


def _fill_reserve(root: str, scratch: Scratch) -> None:
    reserve = os.path.join(root, _RESERVE)
    if os.path.exists(reserve):
        return
    try:
        put_if_absent(reserve, os.urandom(RESERVE_BYTES), scratch)  # Random: a file system cannot compress it away.
    except OSError:
        pass  # Nearly full already. What is to be written then fails or fits by itself.


def _check_version(root: str, marker: bytes) -> None:
    match = re.fullmatch(rb"doit-fleet store (\d{1,9})\n", marker)
    if match is None:
        raise StoreDamaged(f"the marker of the store {root!r} is damaged", hint=_way_out(root))
    if int(match[1]) != VERSION:
        raise StoreDamaged(
            f"the store {root!r} has format {int(match[1])}, this doit-fleet writes format {VERSION}",
            hint=f"use the doit-fleet that made it; or {_way_out(root)}",
        )


def _way_out(root: str) -> str:
    return f"name another place with store.url=/some/folder; or remove {root!r} (its unfinished runs are then lost)"


def _has_strange_content(root: str) -> bool:
    try:
        with os.scandir(root) as entries:
            return any(not entry.name.startswith(OURS) for entry in entries)
    except FileNotFoundError:
        return False
