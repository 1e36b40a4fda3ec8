"""How much memory is free on this machine. Where it cannot be known, nothing is said."""

from __future__ import annotations

import os
from typing import List


def available_memory(root: str) -> int:
    """Bytes that programs could have now without swapping, by the system and by this process's control group; 0: not known."""
    found = [_available(root), *_left_in_groups(root)]
    return min((one for one in found if one >= 0), default=0)


def _available(root: str) -> int:
    for line in _read(os.path.join(root, "proc/meminfo")).splitlines():
        words = line.split()
        if words[:1] == ["MemAvailable:"] and len(words) > 1 and words[1].isdigit():
            return int(words[1]) * 1024
    return -1


def _left_in_groups(root: str) -> List[int]:
    """Of control groups of version 2, from our own upwards."""
    mount = os.path.join(root, "sys/fs/cgroup")
    path = next(
        (line[3:] for line in _read(os.path.join(root, "proc/self/cgroup")).splitlines() if line[:3] == "0::"), ""
    )
    parts = [part for part in path.split("/") if part]
    found = []
    for size in range(len(parts) + 1):
        folder = os.path.join(mount, *parts[:size])
        most, used = (_read(os.path.join(folder, name)).strip() for name in ("memory.max", "memory.current"))
        if most.isdigit() and used.isdigit():
            found.append(max(0, int(most) - int(used)))
    return found


def _read(path: str) -> str:
    try:
        with open(path) as file:
            return file.read()
    except (OSError, UnicodeDecodeError):
        return ""
