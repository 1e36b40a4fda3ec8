"""Two rows become one: the values of both, the later ones winning, and one name. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile


def joined_name(first: str, second: str) -> str:
    """What both names begin with, then what is left of each."""
    same = len(list(takewhile(lambda pair: pair[0] == pair[1], zip(first, second, strict=False))))
    common = first[:same].rpartition(".")[0]
    if not common:
        return f"{first}.{second}"
    return common + first[len(common) :] + second[len(common) :]


def joined_dependencies(first: Sequence[str], second: Sequence[str]) -> tuple[str, ...]:
    """Those of both, each once."""
    return tuple(dict.fromkeys((*first, *second)))
