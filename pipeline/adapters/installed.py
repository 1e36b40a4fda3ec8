"""An interpreter and the distributions installed for it, as one digest, found without starting it.

Sees installations and removals; what somebody edits by hand inside an installed package goes unseen.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from hashlib import blake2b

_LARGEST_PATH_FILE = 1 << 16


def interpreter_digest(python: str | os.PathLike[str]) -> str:
    """Digest the executable (real path, size, time of change) and each distribution's name, version and origin."""
    lines = [os.fspath(python), _executable(os.path.realpath(python))]
    for folder in dict.fromkeys(_site_packages(os.path.abspath(python))):
        lines += [folder, *sorted(_distributions(folder))]
    return blake2b(os.fsencode("\0".join(lines)), digest_size=16).hexdigest()


def _executable(path: str) -> str:
    try:
        found = os.stat(path)
    except OSError:
        return f"{path} is missing"
    return f"{path} {found.st_size} {found.st_mtime_ns}"


def _site_packages(python: str) -> Iterator[str]:
    """Folders with packages: of the environment; where that lets them in, or there is none, the system's and user's."""
    prefix = os.path.dirname(os.path.dirname(python))
    settings = _read(os.path.join(prefix, "pyvenv.cfg"))
    yield from _below(prefix)
    if settings is None or b"include-system-site-packages=true" in settings.lower().replace(b" ", b""):
        yield from _below(os.path.dirname(os.path.dirname(os.path.realpath(python))))
        yield from _below("/usr/local")
        yield from _below(os.path.expanduser("~/.local"))


def _below(prefix: str) -> Iterator[str]:
    for library in ("lib", "lib64"):
        for version in _names(os.path.join(prefix, library)):
            if version.startswith(("python3", "pypy3")):
                for packages in ("site-packages", "dist-packages"):
                    yield os.path.realpath(os.path.join(prefix, library, version, packages))


def _distributions(folder: str) -> Iterator[str]:
    for name in _names(folder):
        path = os.path.join(folder, name)
        if name.endswith((".dist-info", ".egg-info")):
            # The origin names a commit; the size of the list of files changes with almost any other re-installation.
            origin = _read(os.path.join(path, "direct_url.json")) or b""
            yield f"{name} {_size(os.path.join(path, 'RECORD'))} {origin!r}"
        elif name.endswith((".pth", ".egg-link")):
            yield f"{name} {_read(path)!r}"


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return -1


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read(_LARGEST_PATH_FILE)
    except OSError:
        return None


def distributions(python: str, elsewhere: Mapping[str, str]) -> dict[str, str]:
    """Version and origin of each distribution by name, spelled the same on every machine that has the same.

    `elsewhere`: paths of this machine, and what is to stand for them.
    """
    found: dict[str, str] = {}
    for folder in dict.fromkeys(_site_packages(os.path.abspath(python))):
        for name in _names(folder):
            path = os.path.join(folder, name)
            stem, ending = os.path.splitext(name)
            if ending in (".dist-info", ".egg-info"):
                distribution, _, version = stem.partition("-")
                origin = _spelled(_read(os.path.join(path, "direct_url.json")), elsewhere)
                found.setdefault(distribution.lower(), f"{version} {origin}".rstrip())
            elif ending in (".pth", ".egg-link"):
                found.setdefault(name, _spelled(_read(path), elsewhere))
    return found


def _spelled(content: bytes | None, elsewhere: Mapping[str, str]) -> str:
    text = (content or b"").decode("utf-8", "replace")
    for path in sorted(elsewhere, key=len, reverse=True):
        text = text.replace(path, elsewhere[path])
    return blake2b(text.encode(), digest_size=8).hexdigest() if text else ""
