"""Bring a harness into the world: folder, outbox, sockets, the zygote's fork, and the note of who was born.

The note and the outbox let a later agent end what is left and read what was said. Knows no suites and no slots.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from attrs import frozen

from pipeline.adapters.channel_end import ChannelEnd
from pipeline.adapters.control import Control
from pipeline.adapters.guard_link import GuardLink
from pipeline.adapters.harness_process import HarnessProcess
from pipeline.adapters.stream import parse_message
from pipeline.adapters.zygote import Zygote
from pipeline.harness.outbox_reader import OutboxReader, prepare_outbox
from pipeline.model.messages import Message

OUTBOX = "outbox"
PROCESSES = "processes.json"
LOG = "worker.log"
INTRODUCE_SECONDS = 10.0


@frozen(kw_only=True)
class Terms:
    """How long a guard lets its harness live, all in seconds."""

    start_seconds: float
    """The permission before the first renewal."""
    stamp_seconds: float
    """How often the guard shows its clock."""
    stop_seconds: float
    """How long a harness may stay stopped (SIGSTOP) before it is killed."""
    silence_seconds: float
    """A guard silent for longer is itself killed."""


async def bear_harness(zygote: Zygote, folder: Path, *, terms: Terms, options: dict[str, Any]) -> HarnessProcess:
    """Have a guard and its harness forked; `folder` gets its outbox, log and process ids. Raises `EngineError`."""
    folder.mkdir(parents=True, exist_ok=True)
    outbox, log = folder / OUTBOX, folder / LOG
    job = {
        "log": str(log),
        "outbox": str(outbox) if prepare_outbox(outbox) else None,
        "options": {**options, "log": str(log), "folder": str(folder)},
    }
    limits = {
        "start_seconds": terms.start_seconds,
        "stamp_seconds": terms.stamp_seconds,
        "stop_seconds": terms.stop_seconds,
    }
    control, their_control = socket.socketpair()
    channel, their_channel = socket.socketpair()
    link = GuardLink(partial(Control, control), zygote, terms.silence_seconds)
    link.on_identities = lambda: _write_note(folder, link.identities)
    end = ChannelEnd(channel, link.bell)
    try:
        with their_control, their_channel:
            link.guard = await zygote.fork(job, limits, their_control.fileno(), their_channel.fileno())
    except BaseException:
        link.close()  # Should the guard have been made after all, this ends it.
        end.close()
        raise
    link.attach()
    await link.introduce(INTRODUCE_SECONDS)
    return HarnessProcess(end, link, outbox, log)


def read_note(folder: Path) -> list[tuple[int, str]]:
    """(pid, start time) of the guard and harness born in that folder, as far as known."""
    try:
        return [(int(pid), str(started)) for pid, started in json.loads((folder / PROCESSES).read_text())]
    except (OSError, ValueError, TypeError):
        return []


def read_last_words(folder: Path) -> Sequence[Message]:
    """What the dead harness of that folder had said, as far back as its outbox keeps it; most of it was handled."""
    reader = OutboxReader(folder / OUTBOX)
    try:
        *lines, _ = reader.read_kept().split(b"\n")
        return [parse_message(line) for line in lines]
    finally:
        reader.close()


def _write_note(folder: Path, identities: Sequence[tuple[int, str]]) -> None:
    try:
        (folder / PROCESSES).write_text(json.dumps(identities))
    except OSError:
        pass  # A full disk: the mark in the environment still tells whose they are.
