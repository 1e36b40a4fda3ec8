"""Bring home what workers elsewhere have left in the store. What comes from there is hostile until it is unpacked."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from pipeline.adapters.archive_extractor import extract
from pipeline.errors import EngineError, FleetError
from pipeline.model.events import Notice
from pipeline.ports import Clock, Emit, Store
from pipeline.protocol.certain import CertainStore
from pipeline.protocol.outputs import LOGS, Output, fetch_output, list_outputs

PATIENCE_SECONDS = 60.0


async def bring_home(
    store: Store, clock: Clock, run: str, folder: Path, emit: Emit, *, worker: str = ""
) -> Sequence[Path]:
    """Unpack every output of a run into `<folder>/<worker>/<name>`, or those of one worker; the folders made.

    What is damaged or hostile is left out and told. Raises `StoreUnavailable`, and `EngineError` for a full disk.
    """

    def tell(text: str) -> None:
        emit(Notice(time=clock.wall(), level="warning", text=text))

    certain = CertainStore(store, clock, patience_seconds=PATIENCE_SECONDS)
    outputs = [each for each in await list_outputs(certain, run, tell) if worker in ("", each.worker)]
    made = []
    if not worker:
        shutil.rmtree(folder, ignore_errors=True)  # Of an earlier run.
    for output in outputs:
        target = folder / output.worker / output.name
        shutil.rmtree(target, ignore_errors=True)
        for note in output.notes:
            tell(f"{output.worker}: {note}")
        try:
            await _unpack(certain, run, output, target)
            made.append(target)
        except FleetError as error:
            tell(f"{output.worker}: what it left as {output.name!r} is not taken over: {error}")
    if not worker and any(target.name != LOGS and _has_something_to_see(target) for target in made):
        emit(Notice(time=clock.wall(), level="info", text=f"what tests left is in {folder}"))
    return made


def _has_something_to_see(folder: Path) -> bool:
    """Data of coverage.py has been read by then, and is hidden."""
    return any(path.is_file() and not path.name.startswith(".") for path in folder.rglob("*"))


async def _unpack(store: CertainStore, run: str, output: Output, target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(suffix=".tar.gz") as archive:
            await fetch_output(store, run, output, archive)  # type: ignore[arg-type]
            archive.flush()
            extract(Path(archive.name), target)
    except OSError as error:
        raise EngineError(f"cannot write {str(target)!r}: {error.strerror}") from error
