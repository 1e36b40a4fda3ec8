"""A range that somebody wrote for a host, and the shares that queues and slots get of it. Pure.

Things with names are spans of their positions in the list, so that both sorts are divided in one way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from attrs import frozen

from pipeline.errors import UsageError
from pipeline.logic.resource_ranges.kinds import FORMS, MOST_NAMES, Kind, names_of, spans_of, text_of
from pipeline.logic.resource_ranges.spans import Span, common, count_of, overlap_within


@frozen(kw_only=True)
class Range:
    """Things of one kind; `names` lists those that are no numbers."""

    name: str
    """What the user calls it: tests get it as `<NAME>` in their environment."""
    kind: Kind
    spans: tuple[Span, ...]
    names: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """How many things."""
        return count_of(self.spans)

    def items(self) -> Iterator[str]:
        """All of them, one by one."""
        return (self.text(number) for span in self.spans for number in range(span.first, span.last + 1))

    def text(self, number: int) -> str:
        """One of them as it is written."""
        return self.names[number] if self.kind.is_named else text_of(self.kind, number)

    def written(self) -> str:
        """As few words as can be: `first-last`, or every name."""
        if self.kind.is_named:
            return ",".join(self.items())
        ends = ((self.text(span.first), self.text(span.last)) for span in self.spans)
        return ",".join(first if first == last else f"{first}-{last}" for first, last in ends)


def parse_range(name: str, kind: Kind, texts: Sequence[str]) -> Range:
    """The range of one or more texts, each of which may hold several with commas. Raises `UsageError` for overlaps too."""
    parts = [part for text in texts for part in text.split(",") if part.strip()]
    if not parts:
        raise UsageError(f"range {name!r} is empty", hint=f"write {FORMS[kind]}")
    if kind.is_named:
        return _named(name, kind, parts)
    spans = tuple(spans_of(kind, part) for part in parts)
    twice = overlap_within(spans)
    if twice:
        raise UsageError(f"range {name!r} has {text_of(kind, twice.first)!r} twice")
    return Range(name=name, kind=kind, spans=spans)


def _named(name: str, kind: Kind, parts: Sequence[str]) -> Range:
    names = [each for part in parts for each in names_of(part)]
    twice = next((each for each in names if names.count(each) > 1), None) if len(set(names)) < len(names) else None
    if twice:
        raise UsageError(f"range {name!r} has {twice!r} twice")
    if len(names) > MOST_NAMES:
        raise UsageError(f"range {name!r} has more than {MOST_NAMES} names")
    return Range(name=name, kind=kind, spans=(Span(0, len(names) - 1),), names=tuple(names))


def shared(one: Range, other: Range) -> str | None:
    """The first thing that is in both, as it is written."""
    if one.kind is not other.kind:
        return None
    if one.kind.is_named:
        known = set(other.items())
        return next((item for item in one.items() if item in known), None)
    both = common(one.spans, other.spans)
    return one.text(both.first) if both else None
