"""Entries and folders for tests of layers."""

from __future__ import annotations

import io
import tarfile

from hypothesis import strategies as st

from pipeline.adapters.layer_writer import write_archive
from pipeline.model.layer_entries import LayerEntry, Symlink, file, folder, program, symlink

PARTS = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=70).filter(
    lambda part: part not in (".", "..")
)
PATHS = st.lists(PARTS, min_size=1, max_size=6).map("/".join)
LEAVES = st.one_of(
    st.builds(lambda data: lambda path: file(path, data), st.binary(max_size=2000)),
    st.builds(lambda data: lambda path: program(path, data), st.binary(max_size=9)),
    st.builds(lambda target: lambda path: symlink(path, target), PATHS),
    st.just(folder),
)


def _fits(entries: dict[str, object], path: str) -> bool:
    return not any(other.startswith(path + "/") or path.startswith(other + "/") for other in entries)


@st.composite
def some_entries(draw: st.DrawFn) -> list[LayerEntry]:
    """Entries of which none lies below another."""
    made: dict[str, LayerEntry] = {}
    for path, leaf in draw(st.lists(st.tuples(PATHS, LEAVES), max_size=12)):
        if _fits(dict(made), path):
            made[path] = leaf(path)
    return list(made.values())


def archive(entries: list[LayerEntry]) -> bytes:
    """The tar archive of these entries."""
    target = io.BytesIO()
    write_archive(entries, target)
    return target.getvalue()


def read_back(data: bytes) -> dict[str, tuple[str, bytes | str, int, int, int]]:
    """What Python's own reader finds: type, content or target, mode, uid, gid by path."""
    found = {}
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as tar:
        for member in tar.getmembers():
            content: bytes | str = member.linkname
            if member.isfile():
                opened = tar.extractfile(member)
                assert opened
                content = opened.read()
            kind = {tarfile.REGTYPE: "file", tarfile.DIRTYPE: "folder", tarfile.SYMTYPE: "link"}[member.type]
            assert (member.mtime, member.uname, member.gname) == (0, "", "")
            found[member.name] = (kind, content, member.mode, member.uid, member.gid)
    return found


def as_read(entry: LayerEntry) -> tuple[str, bytes | str, int, int, int]:
    """What `read_back` should find for an entry."""
    owner = (entry.mode, entry.uid, entry.gid)
    if isinstance(entry.content, bytes):
        return "file", entry.content, *owner
    if isinstance(entry.content, Symlink):
        return "link", entry.content.target, *owner
    return "folder", "", *owner
