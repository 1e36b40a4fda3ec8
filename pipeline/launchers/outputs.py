"""What a worker sends home before it ends, where those who gather may be elsewhere: files that suites name, and its logs.

Best effort: verdicts need none of it.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pipeline.adapters.output_archive import OutputLimits, pack
from pipeline.model.suites import HarnessSpec
from pipeline.protocol.certain import CertainStore
from pipeline.protocol.outputs import LOGS, send_output

LOG_LIMITS = OutputLimits(files=1000, bytes=64 * 2**20, file_bytes=16 * 2**20)


async def send_outputs(
    store: CertainStore, run: str, worker: str, specs: Mapping[str, HarnessSpec], scratch: Path, *, since: float
) -> None:
    """Send what changed at or after `since` (wall clock) of each suite's files, and all logs. Raises `FleetError`."""
    await _send(store, run, worker, LOGS, scratch, ("**/*.log",), 0.0, LOG_LIMITS)
    for suite, spec in specs.items():
        carries: Any = spec.options.get("carries") or {}
        if carries.get("globs"):
            root, globs = Path(str(carries["root"])), [str(each) for each in carries["globs"]]
            await _send(store, run, worker, name_of(suite), root, globs, since, OutputLimits())


def name_of(suite: str) -> str:
    """What a suite's archive is called in the store."""
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", suite)
    return f"{plain}_" if plain in (LOGS, ".", "..") else plain


async def _send(
    store: CertainStore,
    run: str,
    worker: str,
    name: str,
    root: Path,
    globs: Iterable[str],
    since: float,
    limits: OutputLimits,
) -> None:
    with tempfile.TemporaryFile() as archive:
        packed = await asyncio.to_thread(pack, root, globs, archive, since=since, limits=limits)
        if packed.files or packed.notes:
            archive.seek(0)
            await send_output(store, run, worker, name, archive, notes=packed.notes)
