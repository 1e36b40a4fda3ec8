"""Everything a process ever started: find it, adopt it, kill it.

Linux tells children in /proc and hands orphans to the nearest sub-reaper; elsewhere process groups must do.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterable

_IS_LINUX = sys.platform.startswith("linux")
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


def _load_prctl() -> Callable[..., int]:
    if _IS_LINUX:
        try:
            import ctypes

            return ctypes.CDLL(None).prctl
        except (ImportError, OSError, AttributeError):
            pass
    return lambda *arguments: -1


_prctl = _load_prctl()


def adopt_orphans() -> bool:
    """Become the parent of every orphan below; False where the system cannot."""
    return _prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0


def die_with_parent(parent: int) -> None:
    """Be killed when the parent dies; at once if that has happened already."""
    _prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def children(pid: int) -> list[int]:
    """Direct children of a process, as far as the system tells."""
    found: list[int] = []
    folder = f"/proc/{pid}/task"
    try:
        for thread in os.listdir(folder):
            with open(f"{folder}/{thread}/children") as file:
                found.extend(map(int, file.read().split()))
    except (OSError, ValueError):
        return found or _children_by_search(pid)
    return found


def _children_by_search(pid: int) -> list[int]:
    found = []
    for name in filter(str.isdigit, os.listdir("/proc") if _IS_LINUX else ()):
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                if int(file.read().rpartition(b")")[2].split()[1]) == pid:
                    found.append(int(name))
        except (OSError, ValueError, IndexError):
            continue
    return found


def descendants(roots: Iterable[int]) -> set[int]:
    """The given processes and all that descend from them."""
    seen: set[int] = set()
    waiting = list(roots)
    while waiting:
        pid = waiting.pop()
        if pid not in seen:
            seen.add(pid)
            waiting.extend(children(pid))
    return seen


def send(pids: Iterable[int], number: int) -> None:
    """Send a signal to each; those that are gone or not ours to kill are passed over."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except OSError:
            pass


def reap() -> tuple[dict[int, int], bool]:
    """Wait status of every child that has ended, and whether other children live on."""
    ended: dict[int, int] = {}
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended, False
        if pid == 0:
            return ended, True
        ended[pid] = status


def kill_below(spared: set[int], groups: Iterable[int], give_up_seconds: float) -> tuple[bool, dict[int, int]]:
    """Kill all descendants of this process except those of `spared` children, respawners included, and reap them.

    Returns whether none is left, and the wait statuses of the direct children that ended.
    """
    ended: dict[int, int] = {}
    until = time.monotonic() + give_up_seconds
    pause = 0.0005
    while True:
        for group in groups:
            _kill_group(group)
        send(descendants(pid for pid in children(os.getpid()) if pid not in spared), signal.SIGKILL)
        reaped, any_left = reap()
        ended.update(reaped)
        if not any_left or (spared and all(pid in spared for pid in children(os.getpid()))):
            return True, ended
        if time.monotonic() > until:
            return False, ended
        time.sleep(pause)
        pause = min(pause * 2, 0.05)


def _kill_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except OSError:
        pass
