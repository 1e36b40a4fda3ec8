"""The files of a recipe: digests of what goes in, the archive of what comes out, and putting it back into the project."""

from __future__ import annotations

import glob
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pipeline.adapters.archive_extractor import extract
from pipeline.adapters.layer_writer import write_archive
from pipeline.errors import UsageError
from pipeline.model.layer_entries import LayerEntry, file, program, symlink


def found(root: Path, patterns: Sequence[str]) -> list[str]:
    """Files and links that match, relative to the root, sorted; a folder means all that is in it."""
    names: set[str] = set()
    for pattern in patterns:
        inside = os.path.normpath(pattern)
        if os.path.isabs(pattern) or inside.startswith(".."):
            raise UsageError(
                f"pattern {pattern!r} leaves the project", hint="recipes read and write below the project's root"
            )
        for name in glob.glob(inside, root_dir=root, recursive=True, include_hidden=True):
            names.update(_leaves(root, name))
    return sorted(names)


def _leaves(root: Path, name: str) -> Iterator[str]:
    path = root / name
    if path.is_symlink() or not path.is_dir():
        yield name
        return
    for folder, folders, files in os.walk(path):
        links = [one for one in folders if os.path.islink(os.path.join(folder, one))]
        yield from (os.path.relpath(os.path.join(folder, one), root) for one in (*files, *links))


def digests(root: Path, patterns: Sequence[str]) -> dict[str, str]:
    """Digest of each file that matches, by name: content, where a link leads, whether it is a program."""
    return {name: digest_of(root / name) for name in found(root, patterns)}


def digest_of(path: Path) -> str:
    """Digest of one file or link. Raises `UsageError` when it cannot be read."""
    try:
        if path.is_symlink():
            return f"link {os.readlink(path)}"
        with path.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        return digest + ("x" if path.stat().st_mode & 0o100 else "")
    except OSError as error:
        raise UsageError(f"cannot read {str(path)!r}: {error.strerror}") from error


def pack(root: Path, names: Sequence[str], archive: Path) -> None:
    """Write the files into an archive whose bytes depend on names, contents and programs only."""
    with archive.open("wb") as target:
        write_archive((_entry(root, name) for name in names), target)


def _entry(root: Path, name: str) -> LayerEntry:
    path = root / name
    if path.is_symlink():
        return symlink(name, os.readlink(path))
    return (program if path.stat().st_mode & 0o100 else file)(name, path)


def put_back(archive: Path, root: Path, scratch: Path) -> int:
    """Put the outputs of an archive into the project where they differ; how many there are in all."""
    names = extract(archive, scratch)
    for name in names:
        source, target = scratch / name, root / name
        if not _same(source, target):
            _clear_way(root, target)
            shutil.move(source, target)
    return len(names)


def _same(source: Path, target: Path) -> bool:
    return target.exists() and digest_of(source) == digest_of(target)


def _clear_way(root: Path, target: Path) -> None:
    """Make the folders above, none of them through a link that leads out of the project."""
    parent = target.parent.resolve()
    if root.resolve() not in (parent, *parent.parents):
        raise UsageError(f"{str(target)!r} would be written outside the project through a link")
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.is_symlink() or target.is_file():
        target.unlink()


class Remembered:
    """What a recipe last made here, so that leftovers of it can be told from what somebody else wrote."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, root: Path, names: Sequence[str]) -> None:
        """Remember the outputs as they are now."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(json.dumps({name: digest_of(root / name) for name in names}), encoding="utf-8")

    def remove_leftovers(self, root: Path) -> None:
        """Remove those outputs that are still as they were made."""
        for name, digest in self._read().items():
            path = root / name
            if (path.is_symlink() or path.is_file()) and digest_of(path) == digest:
                path.unlink()

    def _read(self) -> Mapping[str, str]:
        try:
            told = json.loads(self._path.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return told if isinstance(told, dict) else {}
