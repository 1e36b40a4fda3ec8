"""What is known of an artifact cache, as values for people: how full it is, what was asked of it, what cleaning removes.

Sizes are bytes, times seconds since the epoch. No I/O.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import frozen


@frozen(kw_only=True)
class Ask:
    """What was asked for, and the answer: `hit`, `hit: remote` or `miss: <reason>`."""

    key: str
    about: str
    answer: str

    @property
    def is_hit(self) -> bool:
        """Whether there was something to give."""
        return self.answer.startswith("hit")


@frozen(kw_only=True)
class Session:
    """What one process asked."""

    started: float
    asks: Sequence[Ask]


@frozen(kw_only=True)
class Share:
    """The records of one kind at one level of trust."""

    level: str
    kind: str
    entries: int
    size: int
    """Content that several records name counts for each."""
    oldest_use: float
    newest_use: float


@frozen(kw_only=True)
class CacheState:
    """A cache in a folder."""

    folder: str
    remote: str
    """Its address; empty when there is none."""
    level: str
    size: int
    """All content, each once."""
    max_size: int
    shares: Sequence[Share]
    unreadable: int
    last_cleaned: float
    """0.0: never."""
    sessions: Sequence[Session]
    """Newest first."""


@frozen(kw_only=True)
class Removal:
    """What cleaning removed, or would remove: reasons by record (`<level>/<key>`), files of content and their bytes."""

    records: Mapping[str, str]
    content: int
    size: int
