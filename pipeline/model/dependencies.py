"""What a lock file pins, for one target: distributions, their files and where an interpreter will run.

Frozen values; no I/O. Words of https://packaging.python.org/en/latest/specifications/.
"""

from __future__ import annotations

from attrs import frozen


@frozen(kw_only=True)
class Artifact:
    """A file of a release: a wheel or a source distribution."""

    sha256: str
    """64 hexadecimal digits."""
    filename: str = ""
    """Empty when the lock does not tell; the index does."""
    url: str = ""
    """Where the lock says it is: `https://…`, or `file:` and a path. Empty: on the index."""

    @property
    def is_wheel(self) -> bool:
        """Whether it is known to be a wheel."""
        return self.filename.endswith(".whl")


@frozen(kw_only=True)
class Pin:
    """One distribution of a lock that the target needs."""

    name: str
    """Normalised."""
    version: str
    place: str
    """`file:line` or `file: packages[n]`, for messages."""
    artifacts: tuple[Artifact, ...] = ()
    index: str = ""
    """The index the lock names; empty: the configured one."""
    fresh: str = ""
    """Why it is resolved each time and never kept; empty: it is immutable."""
    requirement: str = ""
    """What pip is given for a fresh one: a requirement, a URL, or a path with `editable` true."""
    editable: bool = False


@frozen(kw_only=True)
class Lock:
    """A lock file, read for one target."""

    path: str
    """Relative to the project where it is inside."""
    pins: tuple[Pin, ...]
    """Sorted by name; each name once."""
    indexes: tuple[str, ...] = ()
    """Indexes that a requirements file names, the main one first."""
    find_links: tuple[str, ...] = ()
    """Folders and pages with files that a requirements file names."""


@frozen(kw_only=True)
class Target:
    """The Python that an image offers, as far as it decides which files fit."""

    python: tuple[int, int, int]
    machine: str = "x86_64"
    """As `platform.machine()` says there."""
    libc: str = "glibc-2.28"
    """`glibc-X.Y` or `musl-X.Y`: the newest the image is known to bear."""

    @property
    def short(self) -> str:
        """Major and minor version, like `3.11`."""
        return f"{self.python[0]}.{self.python[1]}"
