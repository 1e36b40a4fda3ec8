"""What a sweep has come to, for people."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen


@frozen(kw_only=True)
class Swept:
    """What was removed, and what had to stay."""

    removed: tuple[str, ...] = ()
    kept: Mapping[str, str] = field(factory=dict)
    """Why, by what it is."""

    def __add__(self, other: Swept) -> Swept:
        """Both."""
        return Swept(removed=(*self.removed, *other.removed), kept={**self.kept, **other.kept})
