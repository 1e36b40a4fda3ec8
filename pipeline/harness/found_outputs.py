"""Files that tests have left: those that match patterns below a root. Links are not followed."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path


def found(root: str | os.PathLike[str], patterns: Iterable[str], since: float) -> Iterator[tuple[Path, int]]:
    """Regular files that match and changed at or after `since` (wall clock), sorted, each once, with their size."""
    top = Path(root)
    matches = {path for pattern in patterns for each in spellings(pattern) for path in top.glob(each)}
    for path in sorted(matches):
        try:
            status = path.lstat()
        except OSError:
            continue
        is_linked = any(parent.is_symlink() for parent in path.parents if top in parent.parents)
        if stat.S_ISREG(status.st_mode) and status.st_mtime >= since and not is_linked:
            yield path, status.st_size


def spellings(pattern: str) -> Sequence[str]:
    """How `glob` wants to be asked: `reports/**` means all files below, and a folder's name means the same."""
    plain = pattern.rstrip("/")
    return (f"{plain}/*",) if plain == "**" or plain.endswith("/**") else (plain, f"{plain}/**/*")
