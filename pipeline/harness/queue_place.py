"""A queue's place on its machine: its folder, kept between runs, a lock on it, variables, and the file of its ranges.

The lock is held through one open file that guard, harness and the commands of tests share, so the system gives it up when all are gone
and not before: nobody else's harness begins in the queue until then, whatever became of agents and links. What tests start by themselves mostly closes
that file, but has the queue's folder in its environment: it is waited for by that. A second file holds how the machine's ranges
are divided: queues of another division begin when no harness of this one lives.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import sys
import time
from typing import Any, Callable, Dict, Optional, Tuple

LOCK = "lock"
LAYOUT = "layout"
RANGES = "ranges.json"
FOLDER = "DOIT_FLEET_QUEUE_FOLDER"
POLL_SECONDS = 0.02
held: Tuple[int, ...] = ()
"""Files of the queue that this process is in: what it starts holds them, too."""
BUSY = 75
"""Exit status of a harness that could not have its queue: EX_TEMPFAIL of sysexits.h."""


def open_locks(place: Optional[Dict[str, Any]]) -> Tuple[int, ...]:
    """Files of the queue and of its machine's layout, not locked yet; none: there is no queue, or its folder cannot be used, which
    `enter` will tell."""
    if not place:
        return ()
    try:
        os.makedirs(place["folder"], exist_ok=True)
        paths = os.path.join(place["folder"], LOCK), os.path.join(os.path.dirname(place["folder"]), LAYOUT)
        return tuple(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600) for path in paths)
    except OSError:
        return ()


def enter(place: Dict[str, Any], locks: Tuple[int, ...]) -> None:
    """Have the queue for this process and whatever shares the files; its environment and ranges. Ends the process if it cannot."""
    global held
    folder = place["folder"]
    if not locks:
        os.makedirs(folder, exist_ok=True)
        raise OSError(errno.EACCES, "the queue's folder cannot be used", folder)
    until = time.monotonic() + place["wait_seconds"]
    _wait(place, until, lambda: _locked(locks[0], fcntl.LOCK_EX))
    _wait(place, until, lambda: not is_lived_in(folder))
    if place["layout"]:
        _wait(place, until, lambda: _has_layout(locks[1], place["layout"].encode("ascii")))
    held = locks
    for lock in locks:
        os.set_inheritable(
            lock, True
        )  # For what tests in this process start by themselves, where they let it have open files.
    _write(os.path.join(folder, RANGES), json.dumps(place["ranges"], indent=1, sort_keys=True) + "\n")
    os.environ.update(place["env"])
    os.environ["DOIT_FLEET_HOST"] = place["host"]
    os.environ["DOIT_FLEET_QUEUE"] = place["queue"]
    os.environ[FOLDER] = folder
    os.environ["DOIT_FLEET_RANGES"] = os.path.join(folder, RANGES)


def _wait(place: Dict[str, Any], until: float, is_there: Callable[[], bool]) -> None:
    while not is_there():
        if time.monotonic() > until:
            told = "queue %s/%s, or one of its machine that has other ranges, is in use by another run or what it has left: %r is locked"
            print(told % (place["host"], place["queue"], os.path.join(place["folder"], LOCK)), flush=True)
            sys.exit(BUSY)
        time.sleep(POLL_SECONDS)


def _locked(file: int, how: int) -> bool:
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
            raise
        return False
    return True


def is_lived_in(folder: str) -> bool:
    """Whether some process was started in that queue, as far as the system tells environments (Linux)."""
    mark = b"\0" + os.fsencode("%s=%s" % (FOLDER, folder)) + b"\0"
    try:
        numbers = [name for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return False
    return any(mark in b"\0" + _environment(number) for number in numbers)


def _environment(number: str) -> bytes:
    try:
        with open("/proc/%s/environ" % number, "rb") as file:
            return file.read()
    except OSError:
        return b""


def _has_layout(file: int, layout: bytes) -> bool:
    """Whether the machine's ranges are shared out as we know it, and stay so while we live; else make it so if nobody lives."""
    if not _locked(file, fcntl.LOCK_SH):
        return False
    if os.pread(file, 100, 0) == layout:
        return True
    if _locked(file, fcntl.LOCK_EX):
        os.ftruncate(file, 0)
        os.pwrite(file, layout, 0)
    fcntl.flock(file, fcntl.LOCK_UN)
    return False


def _write(path: str, text: str) -> None:
    part = "%s.%d" % (path, os.getpid())
    with open(part, "w") as file:
        file.write(text)
    os.replace(part, path)
