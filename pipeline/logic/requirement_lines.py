"""Logical lines of a requirements file, https://pip.pypa.io/en/stable/reference/requirements-file-format/.

Joins continuations, drops comments, puts in `${VARIABLES}`. Knows no option.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

_COMMENT = re.compile(r"(^|\s+)#.*$")
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")


def logical_lines(text: str, environment: Mapping[str, str]) -> Iterator[tuple[int, str]]:
    """Number of the first physical line, and what it says; empty ones are left out."""
    parts: list[str] = []
    start = 0
    for number, line in enumerate(text.splitlines(), 1):
        start = start if parts else number
        is_comment = line.lstrip().startswith("#")
        if line.endswith("\\") and not is_comment:
            parts.append(line[:-1].strip() if parts else line[:-1])
            continue
        parts.append(line.strip() if parts else line)
        yield from _whole(start, parts, environment)
        parts = []
    yield from _whole(start, parts, environment)


def _whole(start: int, parts: list[str], environment: Mapping[str, str]) -> Iterator[tuple[int, str]]:
    line = _COMMENT.sub("", " ".join(parts)).strip()
    if line:
        yield start, _VARIABLE.sub(lambda match: environment.get(match[1], match[0]), line)
