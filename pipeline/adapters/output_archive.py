"""Files that tests leave, packed for the way home: those that match patterns below a root, within limits.

The archive's bytes depend on nothing but names, contents and which files are programs. Links are not followed and not
carried. Knows no store.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from attrs import field, frozen

from pipeline.adapters.layer_writer import write_layer
from pipeline.harness.found_outputs import found
from pipeline.model.layer_entries import LayerEntry, file


@frozen(kw_only=True)
class OutputLimits:
    """What one worker may send home of one suite."""

    files: int = 10_000
    bytes: int = 512 * 2**20
    file_bytes: int = 256 * 2**20


@frozen(kw_only=True)
class Packed:
    """What an archive holds."""

    files: int
    bytes: int
    notes: tuple[str, ...] = field(default=())
    """What was left out, and why."""


def pack(
    root: Path, patterns: Iterable[str], target: BinaryIO, *, since: float = 0.0, limits: OutputLimits | None = None
) -> Packed:
    """Write a tar archive (gzip) of the files below `root` that match and changed at or after `since` (wall clock).

    Raises `EngineError` for a file that changes while it is read.
    """
    limits = limits or OutputLimits()
    entries: list[LayerEntry] = []
    notes: list[str] = []
    size = too_many = 0
    for path, length in found(root, patterns, since):
        name = path.relative_to(root).as_posix()
        if length > limits.file_bytes or size + length > limits.bytes:
            notes.append(f"{name} left out: {length} bytes are too many")
        elif len(entries) >= limits.files:
            too_many += 1
        else:
            entries.append(file(name, path))
            size += length
    if too_many:
        notes.append(f"{too_many} files left out: there are more than {limits.files}")
    write_layer(entries, target)
    return Packed(files=len(entries), bytes=size, notes=tuple(notes))
