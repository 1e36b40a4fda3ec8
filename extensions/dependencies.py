"""Dependencies: which lock file images are made from, which parts of it, and for what they must fit.

Reads nothing. Whether a lock is used at all is `images.dependencies`.
"""

from __future__ import annotations

from pipeline.settings import kinds
from pipeline.settings.collected import texts
from pipeline.settings.declaration import setting
from pipeline.settings.extension import Extension


class Dependencies(Extension):
    """What is installed in the images' environments."""

    lock = setting(kinds.Optional(kinds.path), "off")
    """The lock file: pylock.toml, uv.lock, or requirements with hashes. "off": found beside the suite, then at the project's
    root, in this order; among requirements the one whose name speaks of tests."""

    groups = setting(texts, ())
    """Groups and extras of the lock to install. Empty: the lock's defaults, and those named dev, test, tests or testing."""

    libc = setting(kinds.text, "glibc-2.28")
    """The C library that wheels may ask of the base image: `glibc-X.Y`, or `musl-X.Y` for Alpine. The default fits every
    distribution of Linux that is still maintained."""

    pack_wheels = setting(kinds.boolean, False)
    """Whether images also hold the lock's wheels as files, so that tests which call pip or uv install them without a
    network. It about doubles what the dependencies weigh."""
