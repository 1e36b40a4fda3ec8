"""What may be asked of the artifact cache: a content store (`cas/<sha256>`) and action records (`ac/<key>`).

All calls block; adapters are safe to call from several threads and processes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import BinaryIO, Protocol

from attrs import frozen

from pipeline.errors import EngineError

TRUSTED = "trusted"
"""The level of trust whose records everybody reads. Each other level's records are read at that level only."""
FETCHED, PRODUCED = "fetched", "produced"


class ArtifactGone(EngineError):
    """Content that a record names cannot be had (any more): make the artifact anew, as after a miss."""


class RemoteTrouble(EngineError):
    """A remote tier did not answer, answered too slowly, or answered nonsense; the message is the reason."""


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
    kind: str = PRODUCED
    """`fetched` (can be had again from outside) or `produced`: decides how long it is kept unused."""
    about: str = ""


class ArtifactCache(Protocol):
    """Never a wrong artifact, at worst a miss: content is checked at every read."""

    def find(self, key: str, *, about: str = "") -> ActionRecord | None:
        """The record under a key (64 hexadecimal digits), if it may be trusted and all its content can be had.

        `about` says to people what was asked for, should it be a miss. What was found is kept until `close`.
        """

    def find_all(self, keys: Iterable[str]) -> Mapping[str, ActionRecord]:
        """The records of all keys that can be had, by key; remote ones are brought many at once."""

    def file(self, output: Output) -> Path:
        """A verified local file with that content, not to be changed: others may be handed the same one.

        Its mode is 0444, whatever `output.mode` says. Raises `ArtifactGone`.
        """

    def place(self, output: Output, target: Path) -> None:
        """A private copy with the output's mode, made at `target` (absent before) and checked as it is made.

        Raises `ArtifactGone`, and `OSError` when `target` cannot be written.
        """

    def keep(self, key: str, files: Mapping[str, Path], *, kind: str, about: str) -> ActionRecord:
        """Store files under a key; what another party stored there first stands, and is returned.

        A cache that cannot be written (full disk, read-only) fails nothing: the record is returned all the same, and
        until `close` its content is read where `files` says. Raises `UsageError` for a wrong path or key.
        """

    def close(self) -> None:
        """Wait a bounded time for uploads, write down uses, let go of what was in use. More calls do nothing."""


class RemoteTier(Protocol):
    """Where caches of several machines meet: values by name (`<level>/cas/<sha256>`), written once.

    Every call may raise `RemoteTrouble`. Nothing it answers is believed.
    """

    def get(self, name: str, limit: int) -> bytes | None:
        """A value, or its first `limit` + 1 bytes when it is larger; None when there is none."""

    def fetch(self, name: str, write: Callable[[bytes], object]) -> bool:
        """Hand the value's bytes to `write` piece by piece; False when there is none. What `write` raises ends it."""

    def put(self, name: str, content: Callable[[], BinaryIO], size: int, sha256: str) -> bool:
        """Put if absent, whole or not at all; False when there was one."""

    def delete(self, name: str) -> None:
        """Make it absent."""

    def list(self, prefix: str) -> Iterable[tuple[str, int]]:
        """Names and sizes below a prefix, sorted."""
