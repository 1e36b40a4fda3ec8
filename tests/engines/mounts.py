"""File systems mounted below an engine's folder, undone with it."""

from __future__ import annotations

import subprocess
from pathlib import Path

MOUNTS = Path("/proc/self/mounts")


def unmount_below(folder: Path) -> None:
    """Undo all mounts inside that folder, the deepest first."""
    lines = MOUNTS.read_text("utf-8").splitlines()
    found = [line.split()[1].replace("\\040", " ") for line in lines]
    for place in sorted((place for place in found if place.startswith(f"{folder}/")), reverse=True):
        subprocess.run(["umount", "--lazy", place], check=False, capture_output=True)
