"""Durations and sizes as people write them, and back.

Knows units only, no settings. Ambiguous or unknown units are refused, never guessed.
"""

from __future__ import annotations

import math
import re
from typing import Final

_DURATION_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SIZE_UNITS: Final = {
    "": 1, "B": 1,
    "k": 10**3, "K": 10**3, "kB": 10**3, "KB": 10**3, "M": 10**6, "MB": 10**6, "G": 10**9, "GB": 10**9,
    "T": 10**12, "TB": 10**12,
    "Ki": 2**10, "KiB": 2**10, "Mi": 2**20, "MiB": 2**20, "Gi": 2**30, "GiB": 2**30, "Ti": 2**40, "TiB": 2**40,
}  # fmt: skip
_NUMBER: Final = r"[0-9]+(?:\.[0-9]+)?"
_DURATION_PART: Final = rf"({_NUMBER})\s*([a-z]+)\s*"
_SIZE: Final = rf"({_NUMBER})\s*([A-Za-z]*)"

DURATION_FORM: Final = 'a duration such as "5m", "1h30m" or 90 (seconds)'
SIZE_FORM: Final = 'a size such as "2Gi", "500MB" or 1048576 (bytes)'


def parse_duration(value: object) -> float:
    """Return seconds. Units are ms, s, m, h and d, each at most once; a bare number is seconds.

    Raises ValueError with what was wrong.
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _finite(float(value))
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no duration")
    text = value.strip()
    return float(text) if re.fullmatch(_NUMBER, text, re.ASCII) else _sum_of_parts(text)


def _finite(number: float) -> float:
    if not math.isfinite(number) or number < 0:
        raise ValueError(f"{number!r} is not a finite number from 0 up")
    return number


def _sum_of_parts(text: str) -> float:
    seconds, position, seen = 0.0, 0, set[str]()
    while position < len(text):
        part = re.compile(_DURATION_PART).match(text, position)
        if part is None or part[2] not in _DURATION_UNITS:
            raise ValueError(f"{text!r} is no duration (units: {', '.join(_DURATION_UNITS)})")
        if part[2] in seen:
            raise ValueError(f"{text!r} names unit {part[2]!r} twice")
        seen.add(part[2])
        seconds += float(part[1]) * _DURATION_UNITS[part[2]]
        position = part.end()
    if not seen:
        raise ValueError("an empty text is no duration")
    return seconds


def format_duration(seconds: float) -> str:
    """Write seconds in the shortest form that `parse_duration` reads back as the same number."""
    if seconds < 60 or seconds != int(seconds):
        return f"{seconds:g}s" if float(f"{seconds:g}") == seconds else f"{seconds:.9f}".rstrip("0").rstrip(".") + "s"
    rest, text = int(seconds), ""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, rest = divmod(rest, size)
        text += f"{count}{unit}" if count else ""
    return text


def parse_size(value: object) -> int:
    """Return bytes. Ki, Mi, Gi, Ti count by 1024; k, M, G, T by 1000; a trailing B changes nothing.

    Raises ValueError with what was wrong.
    """
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    match = re.fullmatch(_SIZE, value.strip()) if isinstance(value, str) else None
    if match is None or match[2] not in _SIZE_UNITS:
        raise ValueError(f"{value!r} is no size (units: {', '.join(filter(None, _SIZE_UNITS))})")
    return round(float(match[1]) * _SIZE_UNITS[match[2]]) if "." in match[1] else int(match[1]) * _SIZE_UNITS[match[2]]


def format_size(size_bytes: int) -> str:
    """Write bytes in the largest binary unit that stays exact."""
    for unit in ("Ti", "Gi", "Mi", "Ki"):
        count, rest = divmod(size_bytes, _SIZE_UNITS[unit])
        if count and not rest:
            return f"{count}{unit}"
    return f"{size_bytes}B"
