"""Which entries a layer's archive holds, and in which order: sorted by bytes, each parent once.

Pure; knows no archive format.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from pipeline.errors import UsageError
from pipeline.model.layer_entries import Folder, LayerEntry, folder

SYSTEM_FOLDERS: Final = {
    name: LayerEntry(path=name, content=Folder(), mode=0o755, uid=0, gid=0)
    for name in (
        "etc",
        "home",
        "opt",
        "srv",
        "usr",
        "usr/bin",
        "usr/lib",
        "usr/local",
        "usr/local/bin",
        "var",
        "var/lib",
    )
} | {"tmp": LayerEntry(path="tmp", content=Folder(), mode=0o1777, uid=0, gid=0)}
"""Parents that belong to the base image: an entry for them must not give them away."""


def in_order(entries: Iterable[LayerEntry]) -> Sequence[LayerEntry]:
    """All entries and the parents they lack, sorted by the bytes of their paths.

    Raises `UsageError` when two entries have one path, or an entry lies below one that is no directory.
    """
    known: dict[str, LayerEntry] = {}
    for entry in entries:
        if entry.path in known:
            raise UsageError(f"two entries of a layer have the path {entry.path!r}")
        known[entry.path] = entry
    _add_parents(known)
    return sorted(known.values(), key=lambda entry: entry.name)


def _add_parents(known: dict[str, LayerEntry]) -> None:
    done = {""}
    for path in list(known):
        parent = path.rpartition("/")[0]
        while parent not in done:
            done.add(parent)
            there = known.get(parent)
            if there is None:
                known[parent] = SYSTEM_FOLDERS.get(parent) or folder(parent)
            elif not isinstance(there.content, Folder):
                raise UsageError(f"{path!r} lies below {parent!r}, which is no directory of the layer")
            parent = parent.rpartition("/")[0]
