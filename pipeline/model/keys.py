"""What a store key may look like, checked once for every store.

Keys are made from names that may come from tests or settings, so they are hostile until they have passed here. Nothing
of files, buckets or servers is known here.
"""

from __future__ import annotations

import re
from typing import Final

from pipeline.errors import UsageError

MAX_PART: Final = 200
"""Characters in one part: below the 255 bytes that file systems allow for a name."""
MAX_KEY: Final = 900
"""Characters in a key: below the 1,024 bytes that S3 allows, with room for a bucket's own prefix."""

_PART = re.compile(r"[A-Za-z0-9._-]+", re.ASCII)


def check_key(key: str) -> str:
    """Return the key; raises `UsageError` when it is no `/`-separated list of plain parts."""
    if len(key) > MAX_KEY or not all(_is_part(part) for part in key.split("/")):
        raise UsageError(
            f"{key[:MAX_KEY]!r} is no store key",
            hint=f"parts of 1 to {MAX_PART} characters from A-Z a-z 0-9 . _ - (not '.' or '..'), separated by '/'",
        )
    return key


def check_prefix(prefix: str) -> str:
    """Return the prefix; it may end within a part, or with `/`, or be empty. Raises `UsageError`."""
    folder, _, rest = prefix.rpartition("/")
    if folder:
        check_key(folder)
    elif prefix.startswith("/"):
        check_key(prefix)
    if rest not in ("", ".", ".."):
        check_key(rest)
    return prefix


def _is_part(part: str) -> bool:
    return len(part) <= MAX_PART and part not in (".", "..") and _PART.fullmatch(part) is not None
