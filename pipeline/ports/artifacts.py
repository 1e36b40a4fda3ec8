"""What may be asked of the artifact cache: a content store (`cas/<sha256>`) and action records (`ac/<key>`).

All calls block; adapters are safe to call from several threads and processes.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from attrs import frozen


@frozen(kw_only=True)
class Output:
    """One file that an action made or fetched."""

    sha256: str
    """64 hexadecimal digits."""
    size: int
    mode: int = 0o644


@frozen(kw_only=True)
class ActionRecord:
    """What an action left: outputs by relative POSIX path, and a line for people."""

    outputs: Mapping[str, Output]
    kind: str = "produced"
    """`fetched` (can be had again from outside) or `produced`: decides how long it is kept unused."""
    about: str = ""


class ArtifactCache(Protocol):
    """Never a wrong artifact, at worst a miss: content is checked at every read."""

    def find(self, key: str) -> ActionRecord | None:
        """The record under a key (64 hexadecimal digits), if it may be trusted and all its content can be had."""

    def file(self, output: Output) -> Path:
        """A verified local file with that content, not to be changed. Raises `EngineError` when it has gone since."""

    def keep(self, key: str, files: Mapping[str, Path], *, kind: str, about: str) -> ActionRecord:
        """Store files under a key; what another party stored there first stands, and is returned."""
