"""The queues of one run by slot: what each is called, what it gives its tests, and what tests demand. Values only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Final

from attrs import field, frozen

from pipeline.logic.placement.offers import Demand, Host, Place
from pipeline.logic.resource_ranges.ranges import Range
from pipeline.model.tests import Test

Demanding = Callable[[Sequence[Test]], Sequence[Demand]]
"""What tests demand, in their order, by the settings. Raises `UsageError`."""


@frozen(order=True)
class Amount:
    """What a test needs of its host, and what a host has for all of its tests; of a host None is no limit."""

    cpus: float | None = 0.0
    memory_bytes: int | None = 0

    @property
    def is_nothing(self) -> bool:
        """Whether a test that needs so much may always start."""
        return not self.cpus and not self.memory_bytes


NOTHING: Final = Amount()
UNLIMITED: Final = Amount(None, None)


@frozen(kw_only=True)
class Seat:
    """One slot."""

    place: Place
    env: Mapping[str, str] = field(factory=dict, repr=False)
    """Of the queue; may hold secrets."""
    ranges: tuple[Range, ...] = ()
    """Its own share of its host's."""


@frozen(kw_only=True)
class Grounds:
    """All that placing tests is based on."""

    hosts: tuple[Host, ...]
    """With those queues only that have a slot."""
    seats: tuple[Seat, ...]
    """By slot."""
    demands: Demanding
    is_whole: bool = True
    """Whether no selection keeps tests out: then filters that no test meets are mistakes."""
    share: tuple[int, ...] = ()
    """The slots that are this agent's, where others have the rest; none: all."""

    @property
    def own_seats(self) -> tuple[Seat, ...]:
        """Of this agent's slots."""
        return tuple(self.seats[slot] for slot in self.share if slot < len(self.seats)) or self.seats

    @property
    def layout(self) -> str:
        """Names which queue has what of all ranges: 16 hexadecimal digits; empty: there are none."""
        told = [
            (str(seat.place), [(each.name, each.kind.value, each.written()) for each in seat.ranges])
            for seat in self.seats
            if seat.ranges
        ]
        return sha256(repr(told).encode()).hexdigest()[:16] if told else ""
