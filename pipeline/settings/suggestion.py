"""The "did you mean" at the end of messages about names. Knows names only, not what they name."""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ` (did you mean 'x'?)`, or the known names when none is near, or nothing when there are none."""
    from difflib import get_close_matches

    names = sorted(set(known))
    near = get_close_matches(name.lower(), names, n=1, cutoff=0.6)
    if near:
        return f" (did you mean {near[0]!r}?)"
    return f" (known: {', '.join(names)})" if names else ""
