"""Which keys a directory store holds, and their removal.

It reads names and file times only, never a value, so that one listing of thousands of keys stays cheap.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from pipeline.adapters.directory_format import OURS
from pipeline.ports import Entry

_SCANS = 4


def entries_below(root: str, prefix: str) -> list[Entry]:
    """All keys that start with the prefix, sorted, each with a version that changes whenever its value does."""
    folder, _, rest = prefix.rpartition("/")
    found = list(_walk(root, folder + "/" if folder else "", rest))
    found.sort(key=lambda entry: entry.key)
    return found


def remove_below(root: str, prefix: str) -> int:
    """Remove those keys in sorted order, then the folders that have become empty; how many keys there were."""
    removed, folders = 0, set()
    for entry in entries_below(root, prefix):
        path = os.path.join(root, entry.key)
        try:
            os.unlink(path)
            removed += 1
        except FileNotFoundError:
            pass  # Another party is removing the same.
        folders.add(os.path.dirname(path))
    for folder in sorted(folders, key=len, reverse=True):
        _prune(root, folder)
    return removed


def _walk(root: str, parent: str, start: str) -> Iterator[Entry]:
    for found in _scan(os.path.join(root, parent)):
        if not found.name.startswith(start) or found.name.startswith(OURS):
            continue
        if found.is_dir(follow_symlinks=False):
            yield from _walk(root, f"{parent}{found.name}/", "")
        elif (version := _version(found)) is not None:
            yield Entry(parent + found.name, version)


def _scan(folder: str) -> list[os.DirEntry[str]]:
    """Everything in the folder. Some file systems hide a name for a moment while it is renamed over, so a folder that
    changed under the scan is scanned again."""
    seen: dict[str, os.DirEntry[str]] = {}
    try:
        for _ in range(_SCANS):
            before = os.stat(folder).st_mtime_ns
            with os.scandir(folder) as entries:
                seen.update((entry.name, entry) for entry in entries)
            if os.stat(folder).st_mtime_ns == before:
                break
    except (FileNotFoundError, NotADirectoryError):
        return []
    return list(seen.values())


def _version(entry: os.DirEntry[str]) -> str | None:
    """From inode, writer's stamp and size; not from the time of the inode's own change, which unlinking the temporary
    name moves."""
    try:
        status = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None
    return f"{status.st_ino:x}-{status.st_mtime_ns:x}-{status.st_size:x}"


def _prune(root: str, folder: str) -> None:
    while len(folder) > len(root):
        try:
            os.rmdir(folder)
        except OSError:
            return  # Not empty, or pruned by another party already.
        folder = os.path.dirname(folder)
