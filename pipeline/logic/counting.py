"""A number and its noun, for every level that tells people of numbers. Pure text."""

from __future__ import annotations


def count(value: int, noun: str) -> str:
    """In the right form: `1 test`, `1,234 tests`."""
    ending = "" if value == 1 else "es" if noun.endswith(("ch", "s")) else "s"
    return f"{value:,} {noun}{ending}"
