"""A queue as its machine is told of it: its folder there, variables, and its share of the machine's ranges. Values only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

from attrs import field, frozen

from pipeline.logic.placement.grounds import Grounds
from pipeline.logic.resource_ranges.dividing import environment
from pipeline.logic.resource_ranges.ranges import Range

WAIT_SECONDS: Final = 60.0
"""For a queue that another run is using, before its worker gives up."""
MOST_LISTED: Final = 1000
"""Things of a range that its file lists one by one; of larger ones it has only the ends."""


@frozen(kw_only=True)
class QueuePlace:
    """One queue."""

    host: str
    queue: str
    folder: str
    """On this machine; elsewhere the host decides."""
    layout: str
    """Names which queue of all has what of all ranges; empty: there are none."""
    env: Mapping[str, str] = field(factory=dict, repr=False)
    ranges: Sequence[Range] = ()

    def order(self, folder: str, *, wait_seconds: float) -> dict[str, Any]:
        """What a harness is told; see `harness/queue_place.py`."""
        return {
            "host": self.host,
            "queue": self.queue,
            "folder": folder,
            "layout": self.layout,
            "env": {**environment(self.ranges), **self.env},
            "ranges": {each.name: _told(each) for each in self.ranges},
            "wait_seconds": wait_seconds,
        }


def queue_places(grounds: Grounds, folder: str) -> tuple[QueuePlace, ...]:
    """By slot of this agent's; `folder` holds those of this machine."""
    return tuple(
        QueuePlace(
            host=seat.place.host,
            queue=seat.place.queue,
            folder=f"{folder}/{folder_name(seat.place.host)}/{folder_name(seat.place.queue)}",
            env=seat.env,
            ranges=seat.ranges,
            layout=grounds.layout,
        )
        for seat in grounds.own_seats
    )


def folder_name(name: str) -> str:
    """A part of a path for a host or a queue; two names never become one."""
    plain = "".join(letter if (letter.isalnum() and letter.isascii()) or letter in "_-" else "-" for letter in name)[
        :60
    ]
    return plain if plain == name else f"{plain}-{sha256(name.encode()).hexdigest()[:8]}"


def _told(share: Range) -> dict[str, Any]:
    told = {
        "kind": share.kind.value,
        "written": share.written(),
        "first": share.text(share.spans[0].first),
        "last": share.text(share.spans[-1].last),
        "count": share.count,
    }
    return {**told, "items": list(share.items())} if share.count <= MOST_LISTED else told
