"""Unpacks archives that nobody vouches for: tar (plain, gz, bz2, xz) and zip (wheels), into a folder of its own.

An archive is refused as a whole, and nothing of it is left, when a member would be outside, a link would lead outside,
a name comes twice or is a file and a folder at once, a member is neither file, folder nor link, or when it is larger
than the limits allow. It must not know what archives are for.
"""

from __future__ import annotations

import os
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Final, Literal, Self, cast

from attrs import define, field, frozen

from pipeline.adapters.archive_stream import EndlessArchive, archive_stream
from pipeline.errors import EngineError

HINT: Final = "do not use it; see where it came from"
PIECE: Final = 2**20
NOTE_BYTES: Final = 2**20
"""What a header of a tar archive may add to the next one: long names, times."""
Kind = Literal["file", "folder", "symlink", "hardlink"]


class HostileArchive(EngineError):
    """An archive that is not unpacked; the message says what is wrong with it."""


@frozen(kw_only=True)
class Limits:
    """What an archive may hold once it is unpacked."""

    members: int = 100_000
    bytes: int = 4 * 2**30
    member_bytes: int = 2 * 2**30
    ratio: float = 200.0
    """Bytes unpacked for each byte of the archive, beyond the first MiB unpacked for free."""
    free_bytes: int = 16 * 2**20
    """What may be unpacked whatever the ratio."""
    path_bytes: int = 1024


@frozen(kw_only=True)
class Member:
    """One member, as both kinds of archive give it."""

    name: str
    kind: Kind
    executable: bool = False
    link: str = ""
    content: Callable[[], IO[bytes]] | None = None


def extract(archive: Path, target: Path, *, limits: Limits | None = None) -> list[str]:
    """Unpack into `target`, which must not exist; the files' paths, sorted. Modes are 0644, 0755 for programs.

    Raises `HostileArchive`, or `EngineError` for a damaged archive or a target that cannot be written.
    """
    try:
        os.mkdir(target)
    except OSError as error:
        raise EngineError(f"cannot unpack into {str(target)!r}: {error.strerror}") from error
    try:
        unpacking = Unpacking(str(archive.name), os.fspath(target), archive.stat().st_size, limits or Limits())
        for member in _members(archive, unpacking.stream_bytes):
            unpacking.take(member)
        return unpacking.finish()
    except EndlessArchive:
        shutil.rmtree(target, ignore_errors=True)
        raise HostileArchive(f"archive {archive.name!r} is too large when unpacked", hint=HINT) from None
    except BaseException as error:
        shutil.rmtree(target, ignore_errors=True)
        explained = _explained(error, archive)
        if explained is error:
            raise
        raise explained from error


def _explained(error: BaseException, archive: Path) -> BaseException:
    import lzma

    ends = (EOFError, ValueError, NotImplementedError, RuntimeError)
    damaged = (tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, *ends)
    if not isinstance(error, (*damaged, OSError)):
        return error
    return EngineError(f"archive {archive.name!r} cannot be unpacked: {error}", hint="fetch it again")


@define
class Unpacking:
    """One archive on its way into a folder."""

    archive: str
    root: str
    packed: int
    limits: Limits
    _seen: dict[str, Kind] = field(factory=dict)
    _links: list[tuple[str, Member]] = field(factory=list)
    _bytes: int = 0
    _count: int = 0

    @property
    def stream_bytes(self) -> int:
        """What the archive may be without its compression, headers included."""
        return max(self.limits.free_bytes, int(self.packed * self.limits.ratio)) + PIECE

    def take(self, member: Member) -> None:
        """Unpack one member; links come last, so that nothing is ever written through one."""
        self._count += 1
        if self._count > self.limits.members:
            raise self._refused(f"has more than {self.limits.members} members")
        path = self._inside(member.name, member.kind)
        if not path:
            return
        if member.kind in ("symlink", "hardlink"):
            self._links.append((path, member))
        elif member.kind == "folder":
            os.makedirs(os.path.join(self.root, path), exist_ok=True)
        else:
            self._write(path, member)

    def finish(self) -> list[str]:
        """Make the links; the paths of all that are no folders."""
        for path, member in self._links:
            self._link(path, member)
        return sorted(path for path, kind in self._seen.items() if kind != "folder")

    def _inside(self, name: str, kind: Kind) -> str:
        """The member's path, entered among those that are known; empty for the root itself."""
        text = name.rstrip("/") if kind == "folder" else name
        parts = [part for part in text.split("/") if part != "."]
        if name.startswith("/") or ".." in parts or (parts and "" in parts) or "\\" in name:
            raise self._refused(f"has a member outside: {name[:200]!r}")
        if any(ord(letter) < 32 for letter in name) or len(os.fsencode(name)) > self.limits.path_bytes:
            raise self._refused(f"has a member with a wrong name: {name[:200]!r}")
        path = "/".join(parts)
        if not path and kind != "folder":
            raise self._refused(f"has a member without a name: {name[:200]!r}")
        if path:
            self._enter(path, kind)
        return path

    def _enter(self, path: str, kind: Kind) -> None:
        known = self._seen.get(path)
        if known is not None and not known == kind == "folder":
            raise self._refused(f"has a member twice: {path[:200]!r}")
        folder = path.rpartition("/")[0]
        while folder:
            if self._seen.setdefault(folder, "folder") != "folder":
                raise self._refused(f"has a member below one that is no folder: {path[:200]!r}")
            folder = folder.rpartition("/")[0]
        self._seen[path] = kind

    def _write(self, path: str, member: Member) -> None:
        place = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        mode = 0o755 if member.executable else 0o644
        descriptor = os.open(place, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
        with open(descriptor, "wb") as file:
            assert member.content is not None
            with member.content() as source:
                self._pour(source, file, path)
            os.fchmod(file.fileno(), mode)

    def _pour(self, source: IO[bytes], file: IO[bytes], path: str) -> None:
        size = 0
        while piece := source.read(PIECE):
            size += len(piece)
            self._bytes += len(piece)
            if size > self.limits.member_bytes or self._bytes > self.limits.bytes:
                raise self._refused(f"is too large when unpacked, at {path[:200]!r}")
            if self._bytes > self.limits.free_bytes and self._bytes > self.packed * self.limits.ratio:
                raise self._refused(f"unpacks to more than {self.limits.ratio:g} times its size, at {path[:200]!r}")
            file.write(piece)

    def _link(self, path: str, member: Member) -> None:
        base = os.path.dirname(path) if member.kind == "symlink" else ""
        goal = os.path.normpath(os.path.join(base, member.link))
        is_out = not member.link or os.path.isabs(member.link) or goal == ".." or goal.startswith("../")
        if is_out or "\0" in member.link or self._passes_a_link(base, member.link):
            raise self._refused(f"has a link that leads outside: {path[:200]!r} to {member.link[:200]!r}")
        place = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        if member.kind == "symlink":
            os.symlink(member.link, place)
        elif self._seen.get(goal) != "file":
            raise self._refused(f"has a hard link to what is no file: {path[:200]!r} to {member.link[:200]!r}")
        else:
            os.link(os.path.join(self.root, goal), place, follow_symlinks=False)

    def _passes_a_link(self, base: str, link: str) -> bool:
        """Whether a step on the way is a link itself: `..` after it would not lead where its text says."""
        steps = [part for part in base.split("/") if part]
        parts = [part for part in link.split("/") if part not in ("", ".")]
        for number, part in enumerate(parts):
            if part == "..":
                if not steps:
                    return True
                steps.pop()
            else:
                steps.append(part)
            is_last = number == len(parts) - 1
            if not is_last and self._seen.get("/".join(steps)) in ("symlink", "hardlink"):
                return True
        return False

    def _refused(self, why: str) -> HostileArchive:
        return HostileArchive(f"archive {self.archive!r} {why}", hint=HINT)


class _Header(tarfile.TarInfo):
    """A header of a tar archive; names and notes that would fill the memory are refused before they are read."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str | None, errors: str) -> Self:
        """Read one block."""
        info = super().frombuf(buf, encoding, errors)  # type: ignore[arg-type]
        is_note = info.type in (b"x", b"g", b"X", b"L", b"K")
        if info.size < 0 or (is_note and info.size > NOTE_BYTES):
            raise HostileArchive(f"archive header {info.name[:200]!r} has a wrong size")
        return info


def _members(archive: Path, limit: int) -> Iterator[Member]:
    with archive.open("rb") as start:
        is_zip = start.read(4) in (b"PK\x03\x04", b"PK\x05\x06")
    if is_zip:
        with zipfile.ZipFile(archive) as file:
            for entry in file.infolist():
                yield _of_zip(file, entry)
    else:
        # As a stream: what has been seen is not gone back to, whatever a header says.
        with (
            archive_stream(archive, limit) as stream,
            tarfile.open(fileobj=cast("IO[bytes]", stream), mode="r|", tarinfo=_Header) as tar,
        ):
            for info in tar:
                yield _of_tar(tar, info)
            stream.finish()


def _of_zip(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Member:
    mode = info.external_attr >> 16
    kind = stat.S_IFMT(mode)
    if info.flag_bits & 1:
        raise HostileArchive(f"archive member {info.filename[:200]!r} is encrypted")
    if mode & (stat.S_ISUID | stat.S_ISGID):
        raise HostileArchive(f"archive member {info.filename[:200]!r} would run with another's rights")
    if kind == stat.S_IFLNK:
        return Member(name=info.filename, kind="symlink", link=_target(archive, info))
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise HostileArchive(f"archive member {info.filename[:200]!r} is neither file, folder nor link")
    if info.is_dir():
        return Member(name=info.filename, kind="folder")
    return Member(name=info.filename, kind="file", executable=bool(mode & 0o111), content=lambda: archive.open(info))


def _target(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> str:
    with archive.open(info) as file:
        return file.read(4096).decode("utf-8", "surrogateescape")


def _of_tar(archive: tarfile.TarFile, info: tarfile.TarInfo) -> Member:
    if info.mode & (stat.S_ISUID | stat.S_ISGID) and not info.isdir():
        raise HostileArchive(f"archive member {info.name[:200]!r} would run with another's rights")
    if info.issym() or info.islnk():
        return Member(name=info.name, kind="symlink" if info.issym() else "hardlink", link=info.linkname)
    if info.isdir():
        return Member(name=info.name, kind="folder")
    if not info.isreg() or info.issparse() or info.size < 0:
        raise HostileArchive(f"archive member {info.name[:200]!r} is neither file, folder nor link")
    return Member(
        name=info.name, kind="file", executable=bool(info.mode & 0o111), content=lambda: _content(archive, info)
    )


def _content(archive: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    content = archive.extractfile(info)
    assert content is not None
    return content
