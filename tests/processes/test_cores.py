"""How many workers `auto` means: what the machine really grants."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.adapters.cores import available_cores


@pytest.fixture(autouse=True)
def eight_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with eight cores."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)


def machine(root: Path, cgroup: str, **files: str) -> Path:
    """A root folder with that cgroup membership and those files below /sys/fs/cgroup."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(cgroup)
    for name, text in files.items():
        path = root / "sys/fs/cgroup" / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_affinity_alone(tmp_path: Path) -> None:
    """Without cgroups the process's own cores count."""
    assert available_cores(tmp_path) == 8


@pytest.mark.parametrize(("quota", "cores"), [("200000 100000", 2), ("250000 100000", 3), ("5000 100000", 1)])
def test_quota_of_version_2(tmp_path: Path, quota: str, cores: int) -> None:
    """cpu.max, rounded up, never below one."""
    assert available_cores(machine(tmp_path, "0::/job\n", job__cpu_dot_max=quota)) == cores


def test_no_quota_of_version_2(tmp_path: Path) -> None:
    """`max` means no limit."""
    assert available_cores(machine(tmp_path, "0::/job\n", job__cpu_dot_max="max 100000")) == 8


def test_a_group_above_limits_too(tmp_path: Path) -> None:
    """The tightest of all groups up to the root counts."""
    files = {"a__cpu_dot_max": "300000 100000", "a__b__cpu_dot_max": "max 100000"}

    assert available_cores(machine(tmp_path, "0::/a/b\n", **files)) == 3


def test_quota_of_version_1(tmp_path: Path) -> None:
    """cpu.cfs_quota_us over cpu.cfs_period_us; -1 is no limit."""
    cgroup = "4:cpu,cpuacct:/job\n5:memory:/job\n"
    files = {
        "cpu,cpuacct__job__cpu_dot_cfs_quota_us": "400000",
        "cpu,cpuacct__job__cpu_dot_cfs_period_us": "100000",
        "cpu,cpuacct__cpu_dot_cfs_quota_us": "-1",
        "cpu,cpuacct__cpu_dot_cfs_period_us": "100000",
    }

    assert available_cores(machine(tmp_path, cgroup, **files)) == 4


def test_hostile_paths_stay_inside(tmp_path: Path) -> None:
    """A membership like /../.. (seen inside containers) is no error."""
    assert available_cores(machine(tmp_path, "0::/../../x\n")) == 8
