"""How often the kernel has killed something in this process's control group for want of memory.

Inside a container the group is the container's. Formats: `oom_kill N` in `memory.events` (cgroup v2) and in
`memory.oom_control` (v1), https://docs.kernel.org/admin-guide/cgroup-v2.html and …/cgroup-v1/memory.html.
"""

from __future__ import annotations

from pathlib import Path

FILES = ("memory.events", "memory/memory.oom_control")


def out_of_memory_kills(root: Path = Path("/sys/fs/cgroup")) -> int | None:
    """How many so far; None where the system does not tell."""
    for name in FILES:
        try:
            lines = (root / name).read_text("ascii").splitlines()
        except (OSError, ValueError):
            continue
        for line in lines:
            word, _, number = line.partition(" ")
            if word == "oom_kill" and number.isdecimal():
                return int(number)
    return None
