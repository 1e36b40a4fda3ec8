"""What this machine has free now: processors, load, memory. Within control groups no more than these allow."""

from __future__ import annotations

import os
from pathlib import Path

from pipeline.adapters.cores import ROOT, available_cores
from pipeline.harness.free_memory import available_memory
from pipeline.logic.placement.sizing import Vacancy


def vacancy(root: Path = ROOT) -> Vacancy:
    """Look now. `root` is where /proc and /sys are looked for."""
    return Vacancy(
        cores=available_cores(root), load=os.getloadavg()[0], memory_bytes=available_memory(str(root)) or None
    )
