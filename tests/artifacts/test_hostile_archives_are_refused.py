"""Archives that nobody vouches for: unpacked whole and inside, or refused with nothing left."""

from __future__ import annotations

import io
import os
import stat
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.adapters.archive_extractor import HostileArchive, Limits, extract
from pipeline.errors import EngineError

Entry = tuple[tarfile.TarInfo, bytes]


def entry(name: str, data: bytes = b"", *, kind: bytes = tarfile.REGTYPE, link: str = "", mode: int = 0o644) -> Entry:
    """A member of a tar archive."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode, info.size = kind, link, mode, len(data)
    return info, data


def tar_of(path: Path, *entries: Entry, mode: str = "w:gz") -> Path:
    """A tar archive."""
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for info, data in entries:
            archive.addfile(info, io.BytesIO(data))
    return path


def zip_of(path: Path, *members: tuple[str, bytes, int]) -> Path:
    """A zip archive; the mode is that of Unix."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data, mode in members:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return path


GOOD = entry("pkg/a.py", b"print(1)\n")
TARS: dict[str, list[Entry]] = {
    "absolute": [entry("/etc/owned", b"x")],
    "parent": [entry("../owned", b"x")],
    "parent within": [entry("pkg/../../owned", b"x")],
    "double slash": [entry("pkg//a", b"x")],
    "backslash": [entry("..\\owned", b"x")],
    "control character": [entry("a\nb", b"x")],
    "no name": [entry(".", b"x")],
    "long name": [entry("a/" * 600 + "b", b"x")],
    "symlink out": [entry("out", kind=tarfile.SYMTYPE, link="../..")],
    "symlink absolute": [entry("out", kind=tarfile.SYMTYPE, link="/etc")],
    "symlink empty": [entry("out", kind=tarfile.SYMTYPE, link="")],
    "write through a symlink": [entry("d", kind=tarfile.SYMTYPE, link="pkg"), entry("d/x", b"x")],
    "symlink over a folder in use": [entry("d/x", b"x"), entry("d", kind=tarfile.SYMTYPE, link="pkg")],
    "link through a link": [
        entry("pkg/deep/er/x", b"x"),
        entry("a", kind=tarfile.SYMTYPE, link="pkg/deep/er"),
        entry("b", kind=tarfile.SYMTYPE, link="a/../../.."),
    ],
    "link through a later link": [
        entry("b", kind=tarfile.SYMTYPE, link="a/../../.."),
        entry("a", kind=tarfile.SYMTYPE, link="pkg"),
    ],
    "link through a link that goes up": [
        entry("d/x", b"x"),
        entry("d/a", kind=tarfile.SYMTYPE, link=".."),
        entry("b", kind=tarfile.SYMTYPE, link="d/a/.."),
    ],
    "hard link out": [entry("out", kind=tarfile.LNKTYPE, link="../../etc/passwd")],
    "hard link absolute": [entry("out", kind=tarfile.LNKTYPE, link="/etc/passwd")],
    "hard link to nothing": [entry("out", kind=tarfile.LNKTYPE, link="absent")],
    "hard link to a symlink": [
        entry("a", kind=tarfile.SYMTYPE, link="pkg/a.py"),
        entry("b", kind=tarfile.LNKTYPE, link="a"),
    ],
    "character device": [entry("null", kind=tarfile.CHRTYPE)],
    "block device": [entry("disk", kind=tarfile.BLKTYPE)],
    "fifo": [entry("fifo", kind=tarfile.FIFOTYPE)],
    "unknown kind": [entry("odd", kind=b"Z")],
    "twice": [GOOD],
    "file below a file": [entry("pkg/a.py/b", b"x")],
    "file over a folder": [entry("pkg", b"x")],
    "setuid": [entry("su", b"x", mode=0o4755)],
    "setgid": [entry("sg", b"x", mode=0o2755)],
    "bomb": [entry("zeros", b"\0" * 2**25)],
}


@pytest.mark.parametrize("entries", TARS.values(), ids=TARS)
def test_a_hostile_tar_is_refused_whole(tmp_path: Path, entries: list[Entry]) -> None:
    """One bad member among good ones: nothing is left, nothing outside is touched."""
    archive = tar_of(tmp_path / "a.tar.gz", GOOD, *entries)

    (tmp_path / "in").mkdir()

    with pytest.raises(HostileArchive):
        extract(archive, tmp_path / "in" / "target")

    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.tar.gz", "in"]


ZIPS: dict[str, tuple[str, bytes, int]] = {
    "absolute": ("/etc/owned", b"x", 0o644),
    "parent": ("../owned", b"x", 0o644),
    "backslash": ("..\\owned", b"x", 0o644),
    "symlink out": ("out", b"../..", stat.S_IFLNK | 0o777),
    "symlink absolute": ("out", b"/etc", stat.S_IFLNK | 0o777),
    "device": ("null", b"", stat.S_IFCHR | 0o644),
    "fifo": ("fifo", b"", stat.S_IFIFO | 0o644),
    "setuid": ("su", b"x", stat.S_IFREG | 0o4755),
    "file below a file": ("pkg/a.py/b", b"x", 0o644),
    "bomb": ("zeros", b"\0" * 2**25, 0o644),
}


@pytest.mark.parametrize("member", ZIPS.values(), ids=ZIPS)
def test_a_hostile_zip_is_refused_whole(tmp_path: Path, member: tuple[str, bytes, int]) -> None:
    """The same for wheels."""
    archive = zip_of(tmp_path / "a.whl", ("pkg/a.py", b"x", 0o644), member)

    with pytest.raises(HostileArchive):
        extract(archive, tmp_path / "target")

    assert [path.name for path in tmp_path.rglob("*")] == ["a.whl"]


def test_a_header_that_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    """A long name of 100 MiB of zeros is 100 KiB on the disk; it is refused before it is read."""
    archive = tar_of(
        tmp_path / "a.tar.gz", entry("././@LongLink", b"\0" * (100 * 2**20), kind=tarfile.GNUTYPE_LONGNAME)
    )

    with pytest.raises(HostileArchive, match="wrong size|too large"):  # As Python's tarfile reads it, by its version.
        extract(archive, tmp_path / "target")


@pytest.mark.parametrize(
    "limits", [Limits(members=1), Limits(bytes=5), Limits(member_bytes=5), Limits(path_bytes=3)], ids=str
)
def test_every_limit_holds(tmp_path: Path, limits: Limits) -> None:
    """Number, bytes in all, bytes of one, length of a name."""
    archive = tar_of(tmp_path / "a.tar", entry("aaa", b"123"), entry("b/ccc", b"123456"), mode="w")

    with pytest.raises(HostileArchive):
        extract(archive, tmp_path / "target", limits=limits)
    assert not (tmp_path / "target").exists()


@pytest.mark.parametrize("cut", [0, 1, 10, 100, -20, -4])
@pytest.mark.parametrize("make", [lambda p: tar_of(p, GOOD), lambda p: zip_of(p, ("a", os.urandom(500), 0o644))])
def test_a_damaged_archive_is_an_error_and_leaves_nothing(
    tmp_path: Path, make: Callable[[Path], Path], cut: int
) -> None:
    """Cut off anywhere, it says so in a line."""
    archive = make(tmp_path / "a")
    archive.write_bytes(archive.read_bytes()[:cut])

    with pytest.raises(EngineError):
        extract(archive, tmp_path / "target")
    assert not (tmp_path / "target").exists()


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_an_honest_tar_is_unpacked(tmp_path: Path, mode: str) -> None:
    """Files, programs, folders and links inside come out; owners, times and other modes do not."""
    archive = tar_of(
        tmp_path / "a",
        entry("./", kind=tarfile.DIRTYPE),
        entry("pkg/", kind=tarfile.DIRTYPE, mode=0o700),
        GOOD,
        entry("pkg/bin/run", b"#!/bin/sh\n", mode=0o500),
        entry("latest", kind=tarfile.SYMTYPE, link="pkg/a.py"),
        entry("pkg/up", kind=tarfile.SYMTYPE, link="../pkg/bin"),
        entry("same", kind=tarfile.LNKTYPE, link="pkg/a.py"),
        mode=mode,
    )

    names = extract(archive, tmp_path / "target")

    assert names == ["latest", "pkg/a.py", "pkg/bin/run", "pkg/up", "same"]
    assert (tmp_path / "target" / "latest").read_bytes() == b"print(1)\n"
    assert (tmp_path / "target" / "pkg" / "up" / "run").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "target" / "same").stat().st_mode & 0o777 == 0o644


def test_an_honest_wheel_is_unpacked(tmp_path: Path) -> None:
    """A zip archive with a program, and with modes left open as Windows leaves them."""
    archive = zip_of(tmp_path / "a.whl", ("pkg/a.py", b"x", 0), ("bin/run", b"#!", 0o100755), ("empty/", b"", 0o40755))

    assert extract(archive, tmp_path / "target") == ["bin/run", "pkg/a.py"]
    assert (tmp_path / "target" / "bin" / "run").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "target" / "empty").is_dir()


def test_a_target_that_is_there_is_not_touched(tmp_path: Path) -> None:
    """Unpacking makes its own folder."""
    archive = tar_of(tmp_path / "a", GOOD)
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "mine").touch()

    with pytest.raises(EngineError, match="cannot unpack into"):
        extract(archive, tmp_path / "target")
    assert [path.name for path in (tmp_path / "target").iterdir()] == ["mine"]


PART = st.sampled_from(["a", "b", "c", "..", ".", "", "d\\e"])
NAME = st.lists(PART, min_size=1, max_size=4).map("/".join)
KIND = st.sampled_from([tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE])


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(NAME, KIND, NAME), min_size=1, max_size=6))
def test_no_archive_gets_out(members: list[tuple[str, bytes, str]]) -> None:
    """Of any mixture of files, folders and links: refused with nothing left, or all of it resolves inside."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "secret").write_bytes(b"secret")
        entries = [
            entry(name, b"x" if kind == tarfile.REGTYPE else b"", kind=kind, link=link) for name, kind, link in members
        ]
        archive = tar_of(root / "archive", *entries, mode="w")
        target = root / "down" / "target"
        target.parent.mkdir()
        try:
            extract(archive, target)
        except EngineError:
            assert not target.exists()
        else:
            for path in target.rglob("*"):
                assert Path(os.path.realpath(path)).is_relative_to(target)
        assert sorted(os.listdir(root)) == ["archive", "down", "secret"]
        assert (root / "secret").read_bytes() == b"secret"
