"""Numbers and spans of time as people read them. Pure text, nothing of runs."""

from __future__ import annotations

from typing import Final

from pipeline.logic.counting import count as count

_SPANS: Final = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def number(value: int) -> str:
    """A whole number with its thousands apart: `1,234`."""
    return f"{value:,}"


def duration(seconds: float) -> str:
    """A span in the unit that suits it: `12 ms`, `3.4 s`, `2 min 05 s`, `1 h 02 min`."""
    if seconds < 0.9995:
        return f"{max(0.0, seconds) * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes:02d} min"


def age(seconds: float) -> str:
    """How long ago: `just now`, `3 minutes ago`, `2 days ago`."""
    for noun, length in _SPANS:
        if seconds >= length:
            return f"{count(int(seconds // length), noun)} ago"
    return "just now"
