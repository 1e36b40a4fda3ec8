"""What stands set up is written down, so that a harness that comes after a killed one tears it down.

Each note is locked by whoever has set it up; a lock that can be had belongs to nobody alive. Runs nothing itself.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from typing import Any, Dict, Iterator, Mapping, Optional, Tuple


class Note:
    """One note, as long as its set-up stands."""

    def __init__(self, folder: str, content: Mapping[str, Any]) -> None:
        os.makedirs(folder, exist_ok=True)
        self._path = os.path.join(folder, "%020d-%d.json" % (time.time_ns(), os.getpid()))
        self._descriptor: Optional[int] = None
        self.write(content)

    def write(self, content: Mapping[str, Any]) -> None:
        """Say it anew; whole or as it was."""
        part = self._path + ".part"
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        os.write(descriptor, json.dumps(content).encode("utf-8", "surrogatepass"))
        os.replace(part, self._path)
        before, self._descriptor = self._descriptor, descriptor
        if before is not None:
            os.close(before)

    def remove(self) -> None:
        """It has been torn down."""
        with contextlib.suppress(OSError):
            os.unlink(self._path)
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def abandoned(folder: str) -> Iterator[Dict[str, Any]]:
    """What dead harnesses have left standing, the last first. A note is gone once the next one is asked for."""
    try:
        names = sorted((name for name in os.listdir(folder) if name.endswith(".json")), reverse=True)
    except OSError:
        return
    for name in names:
        path = os.path.join(folder, name)
        held = _lock(path)
        if held is None:
            continue
        descriptor, content = held
        if content is not None:
            yield content
        with contextlib.suppress(OSError):
            os.unlink(path)
        os.close(descriptor)


def _lock(path: str) -> Optional[Tuple[int, Optional[Dict[str, Any]]]]:
    """The note and its lock; None when it is somebody's, or gone."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(descriptor).st_nlink == 0:
            raise OSError("another party was quicker")
    except OSError:
        os.close(descriptor)
        return None
    with os.fdopen(os.dup(descriptor), "rb") as file:
        try:
            content = json.loads(file.read().decode("utf-8", "surrogatepass"))
        except ValueError:
            content = None
    return descriptor, content if isinstance(content, dict) else None
