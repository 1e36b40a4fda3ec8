"""Pools as one run has them: which slots, which suites. Plain values; nothing of their size or of where they live."""

from __future__ import annotations

from attrs import frozen


@frozen(kw_only=True)
class Pool:
    """Workers of one kind. Slots are numbered over all pools of a run."""

    name: str
    first: int
    """Its lowest slot."""
    size: int
    """How many slots it has, in a row. Pools that share workers begin at the same slot."""
    suites: tuple[str, ...]
    """The suites whose tests its workers run."""
    why: str = ""
    """Where its size came from, for people, unless that is plain."""

    @property
    def slots(self) -> range:
        """Its slots."""
        return range(self.first, self.first + self.size)
