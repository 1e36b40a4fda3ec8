"""Control groups of this machine, version 1 or 2."""

from __future__ import annotations

from pathlib import Path

from tests.engines.processes import wait_for


def members(group: str) -> set[int]:
    """The processes in a control group of the top level and below it, under any controller."""
    found: set[int] = set()
    for members in Path("/sys/fs/cgroup").glob(f"*/{group}/**/cgroup.procs"):
        found.update(map(int, members.read_text("ascii").split()))
    return found


def remove_group(group: str) -> None:
    """Remove it and all below it; those that still hold a dying process stay."""
    for top in Path("/sys/fs/cgroup").glob(f"*/{group}"):
        for folder in sorted((path for path in top.rglob("*") if path.is_dir()), reverse=True):
            wait_for(lambda folder=folder: _removed(folder), 2)  # type: ignore[misc]
        _removed(top)


def _removed(folder: Path) -> bool:
    try:
        folder.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
