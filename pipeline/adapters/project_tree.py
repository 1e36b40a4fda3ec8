"""The tests' layer: the project's files as entries below one folder of the image. Which files, others decide."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path

from pipeline.errors import EngineError, UsageError
from pipeline.model.layer_entries import LayerEntry, file, folder, program, symlink


def project_entries(root: Path, names: Iterable[str], at: str) -> Sequence[LayerEntry]:
    """Entries of these files, named relative to `root`. Raises `UsageError` for what no layer can hold."""
    return [folder(at), *(_entry(root / name, f"{at}/{name}") for name in names)]


def _entry(path: Path, place: str) -> LayerEntry:
    try:
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            return symlink(place, os.readlink(path))
    except OSError as error:
        raise EngineError(f"cannot read {str(path)!r} for a layer: {error.strerror}") from error
    if not stat.S_ISREG(mode):
        raise UsageError(
            f"{str(path)!r} is no regular file and cannot be in an image", hint="leave it out: images.exclude"
        )
    return (program if mode & 0o111 else file)(place, path)
