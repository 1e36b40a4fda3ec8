"""What an operating system's refusal means for a directory store: try again, use another place, or wrong use.

It knows error numbers and words only; it touches no file.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from pipeline.errors import FleetError, StoreUnavailable, UsageError

FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_FORBIDDEN: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_LINKLESS: Final = frozenset({errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK, errno.EXDEV})
_UNFIT: Final = _FORBIDDEN | {errno.ENOTDIR, errno.EEXIST, errno.ENAMETOOLONG, errno.ELOOP}
"""On opening: the place itself is wrong, so trying again is pointless."""
_MIXTURE: Final = frozenset({errno.ENOTDIR, errno.EISDIR})


@contextmanager
def in_use(what: str) -> Iterator[None]:
    """Translate `OSError` from a store that has worked before: mostly `StoreUnavailable`."""
    try:
        yield
    except OSError as error:
        raise _meaning(error, what) from error


@contextmanager
def being_opened(root: str) -> Iterator[None]:
    """Translate `OSError` from opening a store: a place that cannot be written is a matter of settings."""
    try:
        yield
    except OSError as error:
        if error.errno not in _UNFIT:
            raise _meaning(error, f"opening the store {root!r}") from error
        raise UsageError(
            f"the store {root!r} cannot be used: {os.strerror(error.errno or 0)}",
            hint="make it writable, or name another place: store.url=/some/folder "
            "or DOIT_FLEET__STORE__URL in the environment",
        ) from error


def _meaning(error: OSError, what: str) -> FleetError:
    if error.errno in FULL:
        return StoreUnavailable(
            f"{what}: the disk is full",
            hint="free some space; a run that stopped for this goes on with the same command",
        )
    if error.errno in _LINKLESS:
        return UsageError(
            f"{what}: this file system has no hard links, which a directory store needs",
            hint="name a folder on another file system: store.url=/some/folder",
        )
    if error.errno in _MIXTURE:
        return UsageError(f"{what}: the key would be a value and a folder at once")
    reason = "writing is not allowed any more" if error.errno in _FORBIDDEN else os.strerror(error.errno or 0)
    return StoreUnavailable(f"{what}: {reason}", hint="see whether the store's volume is mounted and writable")
