"""The names that somebody may have meant. Knows names only."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

FEW: Final = 12
"""Names that are listed when none of them is near."""


def nearest(name: str, known: Iterable[str]) -> str:
    """` (nearest: 'a', 'b')`, or the known ones when they are few, or how many there are."""
    names = sorted(set(known))
    near = get_close_matches(name, names, n=3, cutoff=0.6)
    if near:
        return f" (nearest: {', '.join(map(repr, near))})"
    if not names:
        return ""
    return f" (known: {', '.join(names)})" if len(names) <= FEW else f" (none of {len(names)} names is near)"
