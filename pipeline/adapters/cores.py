"""How many cores this process may really use: its affinity, and the quota of its cgroups (v1 and v2)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from math import ceil
from pathlib import Path

ROOT = Path("/")


def available_cores(root: Path = ROOT) -> int:
    """Cores that this process can keep busy, at least 1. `root` is where /proc and /sys are looked for."""
    quotas = [quota for quota in _quotas(root) if quota > 0]
    return max(1, min([_affinity(), *(ceil(quota) for quota in quotas)]))


def _affinity() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _quotas(root: Path) -> Iterator[float]:
    mount = root / "sys/fs/cgroup"
    for line in _read(root / "proc/self/cgroup").splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0" and not controllers:
            yield from (_quota_v2(folder) for folder in _upwards(mount, path))
        elif "cpu" in controllers.split(","):
            for name in {controllers, "cpu", "cpu,cpuacct"}:
                yield from (_quota_v1(folder) for folder in _upwards(mount / name, path))


def _upwards(mount: Path, path: str) -> Iterator[Path]:
    folder = mount / path.lstrip("/")
    while folder != mount and mount in folder.parents:
        yield folder
        folder = folder.parent
    yield mount


def _quota_v2(folder: Path) -> float:
    words = _read(folder / "cpu.max").split()
    return _ratio(words[0], words[1]) if len(words) == 2 else 0.0


def _quota_v1(folder: Path) -> float:
    return _ratio(_read(folder / "cpu.cfs_quota_us").strip(), _read(folder / "cpu.cfs_period_us").strip())


def _ratio(quota: str, period: str) -> float:
    try:
        return int(quota) / int(period)
    except (ValueError, ZeroDivisionError):
        return 0.0


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError):
        return ""
