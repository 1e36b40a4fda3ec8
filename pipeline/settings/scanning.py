"""Finds the line of a key in a TOML file, which `tomllib` does not tell.

It is asked for messages and provenance only, and may answer with the line of the nearest table around the key. It must
not be used to read values.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

_PART: Final = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')"""
_DOTTED: Final = rf"{_PART}(?:\s*\.\s*{_PART})*"
_HEADER: Final = re.compile(rf"\s*\[\[?\s*({_DOTTED})\s*\]")
_ASSIGNMENT: Final = re.compile(rf"\s*({_DOTTED})\s*=")
_TOKEN: Final = re.compile(r'"""|\'\'\'|"(?:[^"\\]|\\.)*"|\'[^\']*\'|#.*|[\[\]{}]')

Key = tuple[str, ...]


def line_of(file: str, key: Key) -> int:
    """Return the line where that key is given or first gone through, else that of the table around it, else 0."""
    lines = _lines(file)
    for length in range(len(key), 0, -1):
        part = key[:length]
        if part in lines:
            return lines[part]
        if through := [line for found, line in lines.items() if found[:length] == part]:
            return min(through)
    return 0


@lru_cache(maxsize=16)
def _lines(file: str) -> dict[Key, int]:
    try:
        with open(file, encoding="utf-8") as stream:
            return scan(stream.read())
    except (OSError, UnicodeDecodeError):
        return {}


def scan(text: str) -> dict[Key, int]:
    """Return the line of each key and table header in TOML text, counted from 1; the first one wins."""
    found: dict[Key, int] = {}
    table: Key = ()
    depth, fence = 0, ""
    for number, line in enumerate(text.splitlines(), start=1):
        if not depth and not fence:
            if header := _HEADER.match(line):
                table = _parts(header[1])
                found.setdefault(table, number)
                continue
            if assignment := _ASSIGNMENT.match(line):
                found.setdefault(table + _parts(assignment[1]), number)
                line = line[assignment.end() :]
        depth, fence = _after(line, depth, fence)
    return found


def _parts(dotted: str) -> Key:
    return tuple(part[1:-1] if part[0] in "\"'" else part for part in re.findall(_PART, dotted))


def _after(line: str, depth: int, fence: str) -> tuple[int, str]:
    """Return how deep in brackets, and in which multi-line string, the next line begins."""
    position = 0
    while True:
        if fence:
            end = line.find(fence, position)
            if end < 0:
                return depth, fence
            position, fence = end + 3, ""
        token = _TOKEN.search(line, position)
        if token is None:
            return depth, ""
        position = token.end()
        if token[0] in ('"""', "'''"):
            fence = token[0]
        elif token[0] in "[{":
            depth += 1
        elif token[0] in "]}":
            depth -= 1
