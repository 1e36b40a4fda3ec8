"""Tidy the local launcher's scratch folder: what dead agents have left there, processes included.

Knows the names of the folders (`agent-<pid>-<start time>`) and nothing of runs.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from pipeline.adapters import process_table
from pipeline.adapters.temporary import sweep_temporary

KEPT_SECONDS = 7 * 86_400.0
"""Logs of ended agents are kept that long; then the next agent removes them."""


def sweep_scratch(scratch: Path, *, older_than_seconds: float = 0.0) -> list[str]:
    """End processes that dead agents have left, remove their temporary folders, and logs if old enough; what was removed."""
    removed = []
    dead = [folder for folder in sorted(scratch.glob("agent-*-*")) if _is_dead(folder.name)]
    process_table.end_all([], *(f"DOIT_FLEET_AGENT={folder.name}" for folder in dead))
    for folder in dead:
        if _age(folder) >= older_than_seconds:
            shutil.rmtree(folder, ignore_errors=True)
            removed.append(str(folder))
    return [*removed, *sweep_temporary()]


def _is_dead(name: str) -> bool:
    _, pid, started = name.split("-", 2)
    return pid.isdecimal() and not process_table.is_alive(int(pid), started)


def _age(folder: Path) -> float:
    """Seconds since it was changed; less than any when somebody else has removed it."""
    try:
        return time.time() - folder.stat().st_mtime
    except FileNotFoundError:
        return float("-inf")
