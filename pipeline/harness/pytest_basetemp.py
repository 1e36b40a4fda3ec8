"""Where `tmp_path` lives: one folder per worker below one that all workers of the run share, as under pytest-xdist.

Suites share files between workers through `tmp_path_factory.getbasetemp().parent`, so that must be this run's own.
"""

from __future__ import annotations

import fcntl
import getpass
import hashlib
import os
import re
import shutil
import tempfile
from typing import Any

KEPT = 3
PREFIX = "fleet-"
_HELD: list[int] = []


def slot_folder(given: str | None, options: dict[str, Any]) -> str:
    """This worker's own folder; its parent exists afterwards, it itself is made (and emptied) by pytest."""
    shared = str(given) if given else _run_folder(str(options["run"]))
    os.makedirs(shared, mode=0o700, exist_ok=True)
    return os.path.join(os.path.abspath(shared), f"popen-gw{options.get('slot', 0)}")


def _run_folder(run: str) -> str:
    base = os.environ.get("PYTEST_DEBUG_TEMPROOT") or tempfile.gettempdir()
    root = os.path.join(os.path.realpath(base), f"pytest-of-{_user()}")
    os.makedirs(root, mode=0o700, exist_ok=True)
    if os.stat(root).st_uid != os.getuid():
        return tempfile.mkdtemp(prefix=PREFIX)
    name = re.sub(r"[^A-Za-z0-9._-]", "-", run)
    if len(name) > 60:
        name = hashlib.sha256(run.encode("utf-8", "replace")).hexdigest()[:32]
    folder = os.path.join(root, PREFIX + name)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    _hold(folder)
    _forget_old(root, folder)
    return folder


def _hold(folder: str) -> None:
    """Lock the folder as in use until this process ends."""
    lock = os.open(os.path.join(folder, ".lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    _HELD.append(lock)
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        pass


def _forget_old(root: str, own: str) -> None:
    """Keep the newest folders of ended runs, as pytest keeps those of its last three sessions."""
    try:
        entries = [entry for entry in os.scandir(root) if entry.name.startswith(PREFIX) and entry.path != own]
        entries.sort(key=lambda entry: entry.stat(follow_symlinks=False).st_mtime, reverse=True)
    except OSError:
        return
    for entry in entries[KEPT - 1 :]:
        _remove_unused(entry.path)


def _remove_unused(folder: str) -> None:
    try:
        lock = os.open(os.path.join(folder, ".lock"), os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    except OSError:
        pass
    finally:
        os.close(lock)


def _user() -> str:
    try:
        return re.sub(r"\W", "", getpass.getuser()) or "unknown"
    except Exception:
        return "unknown"
