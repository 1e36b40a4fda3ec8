"""Archives on a host: each is unpacked once, by the digest of its content, and lies in projects as a link. Names in it are hostile."""

from __future__ import annotations

import os
import shutil
import tarfile
import tempfile
import zipfile

UNPACKED = "unpacked"


def folder_of(base: str, digest: str) -> str:
    """Where an archive of that content lies unpacked."""
    return os.path.join(base, UNPACKED, digest)


def unpack(base: str, digest: str, path: str) -> str:
    """Unpack a file that is kept, unless that was done; the folder. Raises `ValueError` for one that leads out of it."""
    folder = folder_of(base, digest)
    if os.path.isdir(folder):
        os.utime(folder)
        return folder
    os.makedirs(os.path.dirname(folder), mode=0o700, exist_ok=True)
    fresh = tempfile.mkdtemp(dir=os.path.dirname(folder), prefix=".")
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as packed:
                _refuse([one.filename for one in packed.infolist()])
                packed.extractall(fresh)
        else:
            _unpack_tar(path, fresh)
        os.chmod(fresh, 0o755)
        _place(fresh, folder)
    except (tarfile.TarError, zipfile.BadZipFile, EOFError) as error:
        raise ValueError("no archive that can be unpacked: %s" % error) from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return folder


def _place(fresh: str, folder: str) -> None:
    """Hosts may share a home: then another one may have been faster, and tests may use what it has unpacked."""
    try:
        os.rename(fresh, folder)
    except OSError:
        if not os.path.isdir(folder):
            raise


def _unpack_tar(path: str, folder: str) -> None:
    with tarfile.open(path) as packed:
        members = packed.getmembers()
        _refuse([one.name for one in members])
        for one in members:
            if one.issym() or one.islnk():
                start = os.path.dirname(one.name) if one.issym() else ""
                _refuse([os.path.normpath(os.path.join(start, one.linkname))])
            elif not (one.isfile() or one.isdir()):
                raise ValueError("the archive holds %r, which is no file, folder or link" % one.name)
            one.mode = one.mode & 0o755 | 0o600
        packed.extractall(folder, members)


def _refuse(names: "list[str]") -> None:
    for name in names:
        if name.startswith("/") or ".." in name.split("/"):
            raise ValueError("the archive names %r, which is outside of it" % name)
