"""What tests have left on a host, on its way into the store: files that suites name. Best effort: verdicts need none of it."""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.adapters.output_archive import OutputLimits, pack
from pipeline.adapters.relay_link import RelayLink
from pipeline.adapters.relay_streams import RemoteJob, failure
from pipeline.adapters.remote_project import Laid
from pipeline.errors import EngineError
from pipeline.launchers.outputs import name_of
from pipeline.launchers.ssh.moved import moved
from pipeline.model.suites import HarnessSpec
from pipeline.protocol.certain import CertainStore
from pipeline.protocol.outputs import send_output

LONGEST_HEAD = 1 << 16


async def bring(
    store: CertainStore,
    run: str,
    worker: str,
    specs: Mapping[str, HarnessSpec],
    link: RelayLink,
    laid: Laid,
    root: str,
    scratch: Path,
) -> None:
    """Send what changed since the project was laid out, suite by suite; `scratch` is a folder here. Raises `FleetError`."""
    for suite, spec in specs.items():
        carries: Any = moved(spec, root, laid.root, {}).options.get("carries") or {}
        if not carries.get("globs"):
            continue
        with tempfile.TemporaryDirectory(dir=scratch) as folder:
            notes = await fetch(link, Path(folder), str(carries["root"]), list(carries["globs"]), laid.since)
            with tempfile.TemporaryFile(dir=scratch) as archive:
                packed = await asyncio.to_thread(pack, Path(folder), ("**",), archive)
                if packed.files or packed.notes or notes:
                    archive.seek(0)
                    await send_output(store, run, worker, name_of(suite), archive, notes=(*notes, *packed.notes))


async def fetch(link: RelayLink, folder: Path, root: str, globs: list[str], since: float) -> list[str]:
    """Take files over into `folder`; what was left out. What comes is hostile: names stay below, sizes are bounded."""
    limits, notes = OutputLimits(), list[str]()
    rest, left, count, total = bytearray(), 0, 0, 0
    target = None
    async for data in RemoteJob(link, "fetch", {"root": root, "globs": globs, "since": since}).pieces():
        rest += data
        while rest:
            if left:
                piece = bytes(rest[:left])
                del rest[: len(piece)]
                left -= len(piece)
                if target is not None:
                    with target.open("ab") as file:
                        file.write(piece)
                continue
            line, newline, _ = rest.partition(b"\n")
            if not newline:
                if len(rest) > LONGEST_HEAD:
                    raise EngineError(f"host {link.name!r}: what it sends home is no answer of ours")
                break
            del rest[: len(line) + 1]
            head = _head(link.name, bytes(line))
            left, target = head["size"], None
            is_kept = count < limits.files and left <= limits.file_bytes and total + left <= limits.bytes
            if is_kept:
                target, count, total = _place(folder, head), count + 1, total + left
            else:
                notes.append(f"{head['name']} left out: too many files or bytes")
    return notes[:100]


def _head(host: str, line: bytes) -> dict[str, Any]:
    try:
        head = json.loads(line)
        if "error" in head:
            raise failure(host, head)
        name, size = str(head["name"]), int(head["size"])
        if name.startswith("/") or ".." in name.split("/") or "\0" in name or size < 0:
            raise ValueError(name)
        return {"name": name, "size": size, "executable": bool(head["executable"])}
    except (ValueError, KeyError, TypeError) as error:
        raise EngineError(f"host {host!r}: what it sends home is no answer of ours: {error}") from None


def _place(folder: Path, head: dict[str, Any]) -> Path:
    path = folder / str(head["name"])
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o755 if head["executable"] else 0o644)
    os.close(descriptor)
    return path
