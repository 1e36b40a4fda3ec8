"""`ports.artifacts.RemoteTier` in a folder that several machines share, such as a network mount or a USB disk.

It must not know what the values are. Like every remote tier it is not believed: readers check digests themselves.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from pipeline.adapters.artifact_files import PIECE, ContentFiles, finish, into_place
from pipeline.errors import UsageError
from pipeline.ports.artifacts import RemoteTrouble


class SharedFolder:
    """Values as files below `path`, which must exist before the first use: an unmounted share is no empty one."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._root = os.path.abspath(path)
        self._drafts = ContentFiles(root=self._root)

    def get(self, name: str, limit: int) -> bytes | None:
        """A value, or its first `limit` + 1 bytes."""
        with self._used(f"reading {name!r}"):
            try:
                with open(self._path(name), "rb") as file:
                    return file.read(limit + 1)
            except FileNotFoundError:
                self._nothing()
                return None

    def fetch(self, name: str, write: Callable[[bytes], object]) -> bool:
        """Hand the value's bytes to `write`; False when there is none."""
        try:
            with self._used(f"reading {name!r}"):
                file = open(self._path(name), "rb")  # noqa: SIM115 - what `write` raises must pass as it is.
        except FileNotFoundError:
            self._nothing()
            return False
        with file:
            while piece := file.read(PIECE):
                write(piece)
        return True

    def put(self, name: str, content: Callable[[], BinaryIO], size: int, sha256: str) -> bool:
        """Put if absent."""
        with self._used(f"writing {name!r}"), content() as source:
            self._nothing()
            with self._drafts.draft() as draft:
                while piece := source.read(PIECE):
                    draft.write(piece)
                if (draft.size, draft.sha256) != (size, sha256):
                    raise RemoteTrouble(f"{name!r} is not what was to be sent")
                finish(draft, 0o444, sync=True)
                try:
                    into_place(os.link, draft.path, self._path(name))
                except FileExistsError:
                    return False
        return True

    def delete(self, name: str) -> None:
        """Make it absent."""
        with self._used(f"deleting {name!r}"):
            Path(self._path(name)).unlink(missing_ok=True)

    def list(self, prefix: str) -> Iterator[tuple[str, int]]:
        """Names and sizes below a prefix, sorted."""
        with self._used(f"listing {prefix!r}"):
            self._nothing()
            paths = sorted(path for path in Path(self._root).rglob("*") if path.is_file())
            named = ((path.relative_to(self._root).as_posix(), path) for path in paths)
            yield from ((name, path.stat().st_size) for name, path in named if name.startswith(prefix))

    def _nothing(self) -> None:
        if not os.path.isdir(self._root):
            raise RemoteTrouble(f"the shared folder {self._root!r} is not there")

    def _path(self, name: str) -> str:
        if any(part in ("", ".", "..") for part in name.split("/")):
            raise UsageError(f"{name!r} is no name of a value")
        return os.path.join(self._root, name)

    @contextmanager
    def _used(self, what: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise
        except OSError as error:
            raise RemoteTrouble(f"{what} in {self._root!r}: {error.strerror}") from error
