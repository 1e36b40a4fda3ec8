"""An artifact cache in memory, for tests of what uses one; it passes the contract suite."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from threading import Lock

from attrs import define, field

from pipeline.adapters.artifact_files import Reading, copy_into
from pipeline.errors import UsageError
from pipeline.logic.artifact_records import WrongRecord, check_key, check_paths
from pipeline.ports.artifacts import TRUSTED, ActionRecord, ArtifactGone, Output


@define
class Medium:
    """What all views share."""

    folder: Path
    """Where content is handed out from."""
    records: dict[tuple[str, str], ActionRecord] = field(factory=dict)
    content: dict[str, bytes] = field(factory=dict)
    asked: list[str] = field(factory=list)
    lock: Lock = field(factory=Lock)


@define
class MemoryArtifacts:
    """One build's view."""

    medium: Medium
    level: str = TRUSTED

    def find(self, key: str, *, about: str = "") -> ActionRecord | None:
        """The record that may be trusted."""
        self.medium.asked.append(check_key(key))
        found = (self.medium.records.get((level, key)) for level in (TRUSTED, self.level))
        return next((record for record in found if record is not None), None)

    def find_all(self, keys: Iterable[str]) -> Mapping[str, ActionRecord]:
        """All records that may be trusted."""
        found = {key: self.find(key) for key in keys}
        return {key: record for key, record in found.items() if record is not None}

    def file(self, output: Output) -> Path:
        """A file with the content."""
        data = self._data(output)
        path = self.medium.folder / output.sha256
        self.medium.folder.mkdir(exist_ok=True)
        path.write_bytes(data)
        return path

    def place(self, output: Output, target: Path) -> None:
        """A copy."""
        data = self._data(output)
        with target.open("xb") as file:
            file.write(data)
        os.chmod(target, output.mode)

    def keep(self, key: str, files: Mapping[str, Path], *, kind: str, about: str) -> ActionRecord:
        """Remember files."""
        check_key(key)
        try:
            check_paths(files)
            outputs = {path: self._take(source) for path, source in files.items()}
        except WrongRecord as error:
            raise UsageError(f"cannot be kept: {error}") from error
        except Reading as error:
            raise UsageError(f"an output cannot be read: {error}") from error
        record = ActionRecord(outputs=outputs, kind=kind, about=about)
        with self.medium.lock:
            return self.medium.records.setdefault((self.level, key), record)

    def close(self) -> None:
        """Nothing is open."""

    def _take(self, source: Path) -> Output:
        pieces: list[bytes] = []
        mode = copy_into(source, pieces.append)
        data = b"".join(pieces)
        sha256 = hashlib.sha256(data).hexdigest()
        self.medium.content[sha256] = data
        return Output(sha256=sha256, size=len(data), mode=mode)

    def _data(self, output: Output) -> bytes:
        try:
            return self.medium.content[output.sha256]
        except KeyError:
            raise ArtifactGone(f"{output.sha256!r} was never kept") from None
