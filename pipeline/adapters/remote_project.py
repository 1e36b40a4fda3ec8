"""The project's files on a host: what they are by digest, and sending those that the host has not kept.

Which files, others decide. A file that is read twice and differs is sent as it was read last.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from attrs import define, field, frozen

from pipeline.adapters.relay_link import RelayLink
from pipeline.adapters.relay_streams import RemoteJob
from pipeline.errors import EngineError

PIECE = 1 << 18
TRIES = 3
"""Of laying out what was sent: something kept on the host may be damaged, or forgotten meanwhile."""


@define
class Manifest:
    """What the project consists of."""

    root: Path
    files: dict[str, tuple[str, int]] = field(factory=dict)
    """(SHA-256, mode) by name."""
    links: dict[str, str] = field(factory=dict)
    folders: list[str] = field(factory=list)
    beside: dict[str, tuple[str, int]] = field(factory=dict)
    """As `files`, of what lies outside the project there as here: modules of outside packages."""
    archives: dict[str, str] = field(factory=dict)
    """SHA-256 by the name under which it lies unpacked in the project there."""
    paths: dict[str, Path] = field(factory=dict)
    """Where to read what is not below `root`, by SHA-256."""

    def add_beside(self, path: Path) -> None:
        """Have a single file there. Raises `OSError`."""
        digest = _digest(path)
        self.beside[beside_name(path)] = (digest, 0o644)
        self.paths[digest] = path

    def add_archive(self, name: str, path: Path) -> None:
        """Have an archive there, unpacked. Raises `OSError`."""
        digest = _digest(path)
        self.archives[name] = digest
        self.paths[digest] = path

    def as_json(self) -> dict[str, Any]:
        """As a relay wants it."""
        return {
            "files": [[name, digest, mode] for name, (digest, mode) in self.files.items()],
            "links": list(self.links.items()),
            "folders": self.folders,
            "beside": [[name, digest, mode] for name, (digest, mode) in self.beside.items()],
            "archives": list(self.archives.items()),
        }


@frozen(kw_only=True)
class Laid:
    """The project as it lies on a host."""

    root: str
    beside: str = ""
    """The folder of what lies outside the project."""
    since: float
    """When that was, on the clock of the host's files."""
    sent_files: int
    sent_bytes: int


def read_manifest(root: Path, names: Iterable[str]) -> Manifest:
    """Read all files below `root`. Those that are gone or no files are left out, as a checkout elsewhere would."""
    made = Manifest(root)
    folders: set[str] = set()
    for name in names:
        path = root / name
        try:
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode):
                made.links[name] = os.readlink(path)
            elif stat.S_ISREG(mode):
                made.files[name] = (_digest(path), stat.S_IMODE(mode) & 0o755 | 0o600)
            else:
                continue
        except OSError:
            continue
        folders.update(parent.as_posix() for parent in Path(name).parents if parent != Path())
    made.folders = sorted(folders)
    return made


async def lay(link: RelayLink, manifest: Manifest) -> Laid:
    """Have the project laid out on the host, sending what is missing there. Raises `EngineError`."""
    files = sent = 0
    for _ in range(TRIES):
        job = RemoteJob(link, "lay", {"name": manifest.root.name or "project"})
        job.write(json.dumps(manifest.as_json()).encode("ascii"))
        job.end_input()
        told = await job.answer()
        if not told["missing"]:
            return Laid(
                root=told["project"], beside=told["beside"], since=told["since"], sent_files=files, sent_bytes=sent
            )
        count, size = await _send(link, manifest, told["missing"])
        files, sent = files + count, sent + size
    raise EngineError(
        f"host {link.name!r}: files that were sent there do not stay as they were",
        hint="see whether its disk is sound, and whether the project's files change while they are sent",
    )


async def _send(link: RelayLink, manifest: Manifest, missing: Iterable[str]) -> tuple[int, int]:
    by_digest: Mapping[str, str] = {digest: name for name, (digest, _) in manifest.files.items()}
    job = RemoteJob(link, "receive", {})
    answer = asyncio.ensure_future(job.answer())
    count = sent = 0
    try:
        for digest in missing:
            content = await asyncio.to_thread(_read, manifest.paths.get(digest) or manifest.root / by_digest[digest])
            fresh = hashlib.sha256(content).hexdigest()
            if fresh != digest:
                _replace(manifest, digest, fresh)
            job.write(json.dumps({"digest": fresh, "size": len(content)}).encode("ascii") + b"\n")
            for start in range(0, len(content), PIECE):
                job.write(content[start : start + PIECE])
                await link.drain()
            if answer.done():
                break
            count, sent = count + 1, sent + len(content)
        job.end_input()
        await answer
    finally:
        answer.cancel()
        await asyncio.gather(answer, return_exceptions=True)
    return count, sent


def _replace(manifest: Manifest, old: str, new: str) -> None:
    for name, (digest, mode) in list(manifest.files.items()):
        if digest == old:
            manifest.files[name] = (new, mode)


def beside_name(path: Path) -> str:
    """What a file of that path is called beside projects."""
    return f"{hashlib.sha256(str(path).encode()).hexdigest()[:16]}/{path.name}"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise EngineError(f"cannot read {str(path)!r}: {error.strerror}") from error


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
