"""Which records live processes need: a locked file for each, so that the kernel says who is alive.

It knows names only. Made and read under `ArtifactFolder.locked`.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from threading import Lock


class Lease:
    """What this process needs. In a cache that cannot be written it holds nothing: nobody like us can clean it."""

    def __init__(self, root: str) -> None:
        self._folder = os.path.join(root, "leases")
        self._path = os.path.join(self._folder, f"{os.getpid()}-{secrets.token_hex(8)}")
        self._file = -1
        self._lock = Lock()
        self._known: set[str] = set()

    def add(self, names: Iterable[str]) -> None:
        """Need these records (`<level>/<key>`) until `close`."""
        with self._lock:
            fresh = [name for name in names if name not in self._known]
            if fresh and self._is_open():
                try:
                    os.write(self._file, "".join(f"{name}\n" for name in fresh).encode())
                except OSError:
                    return  # A full disk: the grace of what was used a moment ago must do.
                self._known.update(fresh)

    def close(self) -> None:
        """Need nothing any more."""
        with self._lock:
            if self._file >= 0:
                try:
                    os.unlink(self._path)
                except OSError:
                    pass  # Unlocked it counts for nothing.
                os.close(self._file)
                self._file = -1

    def _is_open(self) -> bool:
        if self._file < 0:
            import fcntl

            try:
                os.makedirs(self._folder, exist_ok=True)
                self._file = os.open(
                    self._path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o644
                )
                fcntl.flock(self._file, fcntl.LOCK_EX)
            except OSError:
                return False
        return True


def leased(root: str, *, forget_dead: bool) -> set[str]:
    """Names of all records that live processes need; files of dead ones are removed if that is wished."""
    import fcntl

    names: set[str] = set()
    folder = Path(root) / "leases"
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        try:
            with path.open("rb") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except BlockingIOError:
                    names.update(file.read().decode("utf-8", "replace").split())
                    continue
                if forget_dead:
                    path.unlink()
        except FileNotFoundError:
            continue
    return names
