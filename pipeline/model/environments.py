"""A virtual environment in an image, and what is installed for an interpreter of the agent. Frozen values; no I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from attrs import field, frozen

from pipeline.model.layer_entries import LayerEntry

ROOT = "/opt/project"
"""Where images have the project's virtual environments."""


@frozen(kw_only=True)
class VirtualEnvironment:
    """Where a virtual environment is in an image, and on which interpreter it stands."""

    base: str
    """The base image's interpreter, absolute."""
    version: tuple[int, int, int]
    root: str = ROOT

    @property
    def short(self) -> str:
        """Major and minor version, like `3.11`."""
        return f"{self.version[0]}.{self.version[1]}"

    @property
    def prefix(self) -> str:
        """Its folder."""
        return f"{self.root}/{self.short}"

    @property
    def python(self) -> str:
        """Its interpreter."""
        return f"{self.prefix}/bin/python"

    @property
    def packages(self) -> str:
        """Its site-packages."""
        return f"{self.prefix}/lib/python{self.short}/site-packages"


@frozen(kw_only=True)
class Installed:
    """One distribution that an interpreter of the agent has."""

    name: str
    """As its metadata writes it."""
    version: str
    home: str
    """Its `.dist-info` or `.egg-info`."""
    files: tuple[str, ...]
    """Absolute paths, as the installer listed them; empty when it listed none."""
    origin: str = ""
    """Text of `direct_url.json`, https://peps.python.org/pep-0610/."""


@frozen(kw_only=True)
class Installation:
    """What an interpreter of the agent is and has."""

    python: str
    version: tuple[int, int, int]
    machine: str
    system: str
    libc: str
    """`glibc-2.36`, or empty."""
    prefix: str
    scripts: str
    packages: tuple[str, ...]
    """Folders that packages are installed in."""
    distributions: tuple[Installed, ...]
    cache_tag: str = ""
    """In names of its byte-code, like `cpython-311`; empty: it writes none."""


@frozen(kw_only=True)
class DependencyLayer:
    """A layer that is made only when its key is not known yet."""

    name: str
    key: str
    """64 hexadecimal digits over all that decides its bytes; equal on another machine with equal inputs."""
    about: str
    """For people and for the image's history."""
    make: Callable[[Path], Sequence[LayerEntry]] = field(eq=False)
    """Makes the entries; their content lies in the empty folder given until they have been read."""
    environment: Mapping[str, str] = field(factory=dict)
    """Variables for the image's config."""
