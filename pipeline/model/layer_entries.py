"""What a layer holds, entry by entry. Knows neither archives nor disks.

Files belong to 65532:0 and the group has the owner's rights, OpenShift's convention for containers that run as any uid
with gid 0: https://docs.openshift.com/container-platform/latest/openshift_images/create-images.html
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from attrs import Attribute, field, frozen

from pipeline.errors import UsageError

UID: Final = 65532
"""The non-root user of the worker's files."""
GID: Final = 0
FILE_MODE: Final = 0o664
PROGRAM_MODE: Final = 0o775
FOLDER_MODE: Final = 0o775


@frozen
class Symlink:
    """A symbolic link to `target`, which is kept as it is."""

    target: str


@frozen
class Folder:
    """A directory."""


Content = bytes | Path | Symlink | Folder
"""Bytes, a regular file on disk, a symbolic link, or a directory."""


def _inside(path: str) -> str:
    return path.strip("/")


def _check(entry: LayerEntry, attribute: Attribute[str], path: str) -> None:
    if "\0" in path or any(part in ("", ".", "..") for part in path.split("/")):
        raise UsageError(f"path {path!r} cannot be in a layer", hint="name a place below the root, without . and ..")


@frozen(kw_only=True)
class LayerEntry:
    """One entry. `path` is from the image's root, with or without a leading slash.

    Raises `UsageError` for a path with empty parts, `.` or `..`.
    """

    path: str = field(converter=_inside, validator=_check)
    content: Content = field(repr=False)
    mode: int = FILE_MODE
    uid: int = UID
    gid: int = GID

    @property
    def name(self) -> bytes:
        """The path as bytes: what entries are sorted by."""
        return os.fsencode(self.path)


def file(path: str, content: bytes | Path) -> LayerEntry:
    """A file that anybody may read, its owner and group write."""
    return LayerEntry(path=path, content=content)


def program(path: str, content: bytes | Path) -> LayerEntry:
    """A file that may be executed."""
    return LayerEntry(path=path, content=content, mode=PROGRAM_MODE)


def folder(path: str) -> LayerEntry:
    """A directory."""
    return LayerEntry(path=path, content=Folder(), mode=FOLDER_MODE)


def symlink(path: str, target: str) -> LayerEntry:
    """A symbolic link."""
    return LayerEntry(path=path, content=Symlink(target), mode=0o777)
