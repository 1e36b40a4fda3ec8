"""What a container that has ended still tells: why it ended, its log, the last words of its harness.

What was in it is hostile: archives are read name by name and in memory limits, never unpacked as they are.
"""

from __future__ import annotations

import tarfile
import tempfile
from pathlib import Path
from typing import BinaryIO

from pipeline.adapters.docker_engine import DockerEngine
from pipeline.adapters.harness_birth import OUTBOX, read_last_words
from pipeline.errors import EngineError
from pipeline.launchers.given import scratch_of
from pipeline.logic.blame import OUT_OF_MEMORY
from pipeline.model.containers import ContainerState
from pipeline.model.images import Places
from pipeline.model.messages import Message
from pipeline.ports import Remains

MOST_BYTES = 64 * 2**20
LOG_END_BYTES = 2000
KILLED = 137


def read_remains(engine: DockerEngine, state: ContainerState, places: Places) -> Remains:
    """Why it ended, and what its harness had said last, as far as its scratch folder can be read."""
    try:
        with engine.fetch(state.id, scratch_of(places)) as archive:
            messages = last_words(archive)
    except (EngineError, tarfile.TarError, OSError, ValueError):
        messages = []
    return Remains(messages=messages, cause=_cause(state), detail=_status(state))


def save_log(engine: DockerEngine, state: ContainerState, target: Path) -> str:
    """Keep the last 64 MiB that it has printed; the end of that. A log that cannot be had is no error."""
    try:
        log = engine.logs(state.id, MOST_BYTES)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(log)
    except (EngineError, OSError):
        return ""
    return log[-LOG_END_BYTES:].decode("utf-8", "replace").strip()


def says(state: ContainerState, log_end: str) -> str:
    """Why it ended, for people."""
    return "\n".join(part for part in (_status(state), state.error, log_end) if part)


def _status(state: ContainerState) -> str:
    return f"status {state.code}" + (", out of memory" if state.out_of_memory else "")


def _cause(state: ContainerState) -> str:
    if state.out_of_memory and state.code == KILLED:
        return OUT_OF_MEMORY
    return "signalled" if state.code is not None and state.code > 128 else "exited"


def last_words(archive: BinaryIO) -> list[Message]:
    """Messages of all outboxes below `slot-*/<birth>/`, births in order; 64 MiB of outboxes at most."""
    found: dict[str, bytes] = {}
    left = MOST_BYTES
    with tarfile.open(fileobj=archive, mode="r|") as tar:
        for member in tar:
            if member.isreg() and member.name.rpartition("/")[2] == OUTBOX and member.size <= left:
                file = tar.extractfile(member)
                found[member.name] = file.read() if file is not None else b""
                left -= member.size
    messages: list[Message] = []
    for _, data in sorted(found.items()):
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / OUTBOX).write_bytes(data)
            messages += read_last_words(Path(folder))
    return messages
