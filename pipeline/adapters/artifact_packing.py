"""Artifacts as entries of an image layer: the cache's own files, so that builds inside a worker find what they need.

The layer has the same bytes on any machine, unless its content changes: it holds what the records say and nothing of
where or when they were made. A cache opened on the packed folder reads it; it must not be on a disk that can be written.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from typing import Final

from attrs import evolve

from pipeline.errors import UsageError
from pipeline.logic.artifact_records import encode
from pipeline.model.layer_entries import LayerEntry, symlink
from pipeline.ports.artifacts import TRUSTED, ActionRecord, ArtifactCache

CACHE: Final = "opt/doit-fleet/cache"
"""Where it is in an image."""
MODE: Final = 0o444


def pack(cache: ArtifactCache, records: Mapping[str, ActionRecord], *, root: str = CACHE) -> list[LayerEntry]:
    """Records by key (without their words for people) and their content, as a cache of trusted records at `root`.

    Whose level they came from is not told: an image trusts what is in it. Raises `ArtifactGone`.
    """
    entries = [_record(root, key, record) for key, record in sorted(records.items())]
    outputs = {one.sha256: one for record in records.values() for one in record.outputs.values()}
    for sha256, output in sorted(outputs.items()):
        entries.append(LayerEntry(path=_content(root, sha256), content=cache.file(output), mode=MODE))
    return entries


def links(records: Iterable[ActionRecord], folder: str, *, root: str = CACHE) -> list[LayerEntry]:
    """Symbolic links below `folder` with the outputs' own paths, to content that `pack` put at `root`.

    Say, wheels by their file names, for `pip --find-links`. Raises `UsageError` when two outputs want one path.
    """
    places: dict[str, str] = {}
    for record in records:
        for path, output in record.outputs.items():
            if places.setdefault(path, output.sha256) != output.sha256:
                raise UsageError(f"two artifacts have different files {path!r}", hint="pack them into two folders")
    return [_link(posixpath.join(folder.strip("/"), path), _content(root, one)) for path, one in sorted(places.items())]


def _record(root: str, key: str, record: ActionRecord) -> LayerEntry:
    path = posixpath.join(root.strip("/"), "ac", TRUSTED, key[:2], f"{key}.json")
    return LayerEntry(path=path, content=encode(key, evolve(record, about="")), mode=MODE)


def _content(root: str, sha256: str) -> str:
    return posixpath.join(root.strip("/"), "cas", sha256[:2], sha256)


def _link(path: str, target: str) -> LayerEntry:
    return symlink(path, posixpath.relpath(target, posixpath.dirname(path)))
