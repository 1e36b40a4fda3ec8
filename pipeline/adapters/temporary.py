"""Folders for temporary files whose names tell whose they are, so that those of killed agents can be removed.

A name is `doit-fleet-<what>-<digest of boot and process namespace>-<pid>-<start time>-<random>`: whoever cannot see a
process takes nothing of it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
from pathlib import Path

from pipeline.adapters import process_table

PREFIX = "doit-fleet-"


def temporary_folder(what: str) -> tempfile.TemporaryDirectory[str]:
    """A folder of this process; `what` is a word without `-`."""
    started = process_table.start_time(os.getpid()).replace("-", "_").replace(" ", "_")
    return tempfile.TemporaryDirectory(prefix=f"{PREFIX}{what}-{_world()}-{os.getpid()}-{started}-")


def sweep_temporary() -> list[str]:
    """Remove folders of this user's processes that have died; what was removed."""
    removed = []
    for folder in sorted(Path(tempfile.gettempdir()).glob(f"{PREFIX}*-*-*-*-*")):
        if _is_own(folder) and _is_left(folder.name):
            shutil.rmtree(folder, ignore_errors=True)
            removed.append(str(folder))
    return removed


def _is_left(name: str) -> bool:
    _, world, pid, started, _ = name.removeprefix(PREFIX).split("-", 4)
    if world != _world() or not pid.isdecimal() or not started:
        return False
    now = process_table.start_time(int(pid)).replace("-", "_").replace(" ", "_")
    return now != started


def _is_own(folder: Path) -> bool:
    """Whether it is a folder of this user's: others may write there, too."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()


def _world() -> str:
    """Names where process numbers mean the same."""
    return hashlib.sha256(f"{process_table.boot_id()} {process_table.pid_space()}".encode()).hexdigest()[:8]
