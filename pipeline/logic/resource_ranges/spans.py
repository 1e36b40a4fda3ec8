"""Ordered things as spans of whole numbers: they may be as many as IPv6 addresses, so nothing is listed. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from attrs import frozen


@frozen(order=True)
class Span:
    """Whole numbers from `first` to `last`, both among them."""

    first: int
    last: int

    @property
    def count(self) -> int:
        """How many; `len` cannot tell more than fit a machine word."""
        return self.last - self.first + 1


def count_of(spans: Iterable[Span]) -> int:
    """How many numbers there are in spans that do not overlap."""
    return sum(span.count for span in spans)


def common(one: Iterable[Span], other: Iterable[Span]) -> Span | None:
    """The first stretch that is in both, if any."""
    left, right = sorted(one), sorted(other)
    at = to = 0
    while at < len(left) and to < len(right):
        first, last = max(left[at].first, right[to].first), min(left[at].last, right[to].last)
        if first <= last:
            return Span(first, last)
        if left[at].last < right[to].last:
            at += 1
        else:
            to += 1
    return None


def overlap_within(spans: Sequence[Span]) -> Span | None:
    """The first stretch that two of the spans share, if any."""
    ordered = sorted(spans)
    for before, after in pairwise(ordered):
        if after.first <= before.last:
            return Span(after.first, min(before.last, after.last))
    return None


def cut(spans: Sequence[Span], sizes: Iterable[int]) -> Iterator[tuple[Span, ...]]:
    """Consecutive pieces of these sizes, in the order of the spans. Raises `ValueError` when they hold less."""
    left = list(spans)[::-1]
    for size in sizes:
        piece: list[Span] = []
        missing = size
        while missing:
            if not left:
                raise ValueError(f"{missing} more than there are")
            span = left.pop()
            taken = Span(span.first, min(span.last, span.first + missing - 1))
            piece.append(taken)
            missing -= taken.count
            if taken.last < span.last:
                left.append(Span(taken.last + 1, span.last))
        yield tuple(piece)
