"""The entries of a folder on disk. Owners, times and the umask of the files do not matter; whether they are programs does."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from pipeline.errors import EngineError, UsageError
from pipeline.model.layer_entries import LayerEntry, file, folder, program, symlink


def everything(path: str) -> bool:
    """Take every entry."""
    return True


def tree_entries(root: Path, at: str, takes: Callable[[str], bool] = everything) -> Iterator[LayerEntry]:
    """What lies below `root`, put below `at` in the image; the folder itself first.

    `takes` is asked with each path relative to `root`; a folder that is not taken is not looked into. Symbolic links
    stay links. Raises `UsageError` for devices, sockets and the like, `EngineError` for what cannot be read.
    """
    yield folder(at)
    try:
        yield from _below(root, at.rstrip("/"), "", takes)
    except OSError as error:
        raise EngineError(f"cannot read {error.filename!r} for a layer: {error.strerror}") from error


def _below(root: Path, at: str, inside: str, takes: Callable[[str], bool]) -> Iterator[LayerEntry]:
    with os.scandir(root / inside) as found:
        entries = list(found)
    for entry in entries:
        path = f"{inside}/{entry.name}" if inside else entry.name
        if not takes(path):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield folder(f"{at}/{path}")
            yield from _below(root, at, path, takes)
        else:
            yield _leaf(entry, f"{at}/{path}")


def _leaf(entry: os.DirEntry[str], path: str) -> LayerEntry:
    if entry.is_symlink():
        return symlink(path, os.readlink(entry.path))
    if not entry.is_file(follow_symlinks=False):
        raise UsageError(f"{entry.path!r} is no file, folder or link and cannot be in a layer", hint="leave it out")
    is_program = entry.stat(follow_symlinks=False).st_mode & 0o100
    return (program if is_program else file)(path, Path(entry.path))
