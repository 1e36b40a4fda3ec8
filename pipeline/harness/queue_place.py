"""A queue's place on its machine: its folder, kept between runs, a lock on it, variables, and the file of its ranges.

The lock is held through one open file that guard and harness share, so the system gives it up when both are gone and not before:
nobody else's harness begins in the queue until then, whatever became of agents and links.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import sys
import time
from typing import Any, Dict, Optional

LOCK = "lock"
RANGES = "ranges.json"
POLL_SECONDS = 0.02
BUSY = 75
"""Exit status of a harness that could not have its queue: EX_TEMPFAIL of sysexits.h."""


def open_lock(place: Optional[Dict[str, Any]]) -> int:
    """The queue's lock file, not locked yet; -1: there is no queue, or its folder cannot be used, which `enter` will tell."""
    if not place:
        return -1
    try:
        os.makedirs(place["folder"], exist_ok=True)
        path = os.path.join(place["folder"], LOCK)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        return -1


def enter(place: Dict[str, Any], lock: int) -> None:
    """Have the queue for this process and whatever shares the file; its environment and ranges. Ends the process if it cannot."""
    folder = place["folder"]
    if lock < 0:
        os.makedirs(folder, exist_ok=True)
        raise OSError(errno.EACCES, "the queue's folder cannot be used", folder)
    _wait(lock, place)
    _write(os.path.join(folder, RANGES), json.dumps(place["ranges"], indent=1, sort_keys=True) + "\n")
    os.environ.update(place["env"])
    os.environ["DOIT_FLEET_HOST"] = place["host"]
    os.environ["DOIT_FLEET_QUEUE"] = place["queue"]
    os.environ["DOIT_FLEET_QUEUE_FOLDER"] = folder
    os.environ["DOIT_FLEET_RANGES"] = os.path.join(folder, RANGES)


def _wait(lock: int, place: Dict[str, Any]) -> None:
    until = time.monotonic() + place["wait_seconds"]
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except OSError as error:
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                raise
        if time.monotonic() > until:
            print(
                "queue %s/%s is in use by another run: its lock is %r"
                % (place["host"], place["queue"], os.path.join(place["folder"], LOCK)),
                flush=True,
            )
            sys.exit(BUSY)
        time.sleep(POLL_SECONDS)


def _write(path: str, text: str) -> None:
    part = "%s.%d" % (path, os.getpid())
    with open(part, "w") as file:
        file.write(text)
    os.replace(part, path)
