"""What a filter is, and whether a name meets it, cannot meet it any more, or may still do so.

A name is the variants of a row from the outermost (declared last) to the innermost. `,` or a blank means OR, `..` AND in any
order, `.` immediately followed by. Pure; how a filter is written is the business of `words`.
"""

from __future__ import annotations

import re
from collections.abc import Set

from attrs import frozen

Block = tuple[str, ...]
"""Variants that follow each other immediately; each is `name` or `(axis=name)`."""


@frozen
class Label:
    """One variant in a name; `axis` is empty in a stanza without a name."""

    name: str
    axis: str = ""

    @property
    def long(self) -> str:
        """As it is in a row's name."""
        return f"({self.axis}={self.name})" if self.axis else self.name

    @property
    def keys(self) -> tuple[str, ...]:
        """The texts by which filters may call it."""
        return (self.name, self.long) if self.axis else (self.name,)


@frozen
class Alternative:
    """One side of an OR: all blocks must be there, or the pattern must be found."""

    text: str
    blocks: tuple[Block, ...] = ()
    pattern: re.Pattern[str] | None = None
    """Of files of 2009: searched in the whole name without axes."""


@frozen
class Filter:
    """Alternatives as they were written."""

    text: str
    alternatives: tuple[Alternative, ...]


@frozen
class Seen:
    """What is known of a name: its outer labels, the keys of these, and the keys that may still follow (none: it is whole)."""

    labels: tuple[Label, ...]
    keys: Set[str]
    below: Set[str]


def decide(wanted: Filter, seen: Seen) -> bool | None:
    """True: the name meets it, whatever follows; False: it cannot; None: that depends on what follows."""
    answer: bool | None = False
    for alternative in wanted.alternatives:
        met = decide_alternative(alternative, seen)
        if met:
            return True
        if met is None:
            answer = None
    return answer


def decide_alternative(alternative: Alternative, seen: Seen) -> bool | None:
    """The same for one alternative."""
    if alternative.pattern is not None:
        if seen.below:
            return None
        return alternative.pattern.search(".".join(label.name for label in seen.labels)) is not None
    answer: bool | None = True
    for block in alternative.blocks:
        met = _decide_block(block, seen)
        if met is False:
            return False
        if met is None:
            answer = None
    return answer


def _decide_block(block: Block, seen: Seen) -> bool | None:
    first = block[0]
    if len(block) == 1:
        return True if first in seen.keys else None if first in seen.below else False
    labels, size = seen.labels, len(block)
    if first in seen.keys and any(_is_at(block, labels[start : start + size]) for start in range(len(labels))):
        return True
    if block[-1] not in seen.below:
        return False
    return None if any(_may_go_on(block, count, seen) for count in range(size)) else False


def _is_at(block: Block, labels: tuple[Label, ...]) -> bool:
    return len(labels) == len(block) and all(
        key in (label.name, label.long) for key, label in zip(block, labels, strict=True)
    )


def _may_go_on(block: Block, count: int, seen: Seen) -> bool:
    """Whether the name ends with the first `count` variants of the block, and the others may still follow."""
    if count > len(seen.labels) or not all(key in seen.below for key in block[count:]):
        return False
    return not count or _is_at(block[:count], seen.labels[-count:])
