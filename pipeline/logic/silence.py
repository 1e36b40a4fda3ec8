"""Death by silence, judged on the observer's own monotonic clock alone.

Silence runs from first sight of a value to the *send* time of the latest read that still returned it; a gap of the
observer's own between successful reads starts it anew. So neither a stalled observer nor a store outage kills anybody.
"""

from __future__ import annotations

from typing import Final

from attrs import frozen

BEATS_PER_LEASE: Final = 4
"""A worker beats that often; an observer whose own reads lie further apart than a beat knows nothing."""


@frozen
class Sight:
    """What an observer knows of one heartbeat; all times are the observer's own."""

    version: str
    since: float
    """When the answer that showed this value first arrived."""
    sent: float
    """When the latest read that still returned it was sent."""
    answered: float


def look(sight: Sight | None, version: str, *, sent: float, answered: float, lease_seconds: float) -> Sight:
    """Take one successful read of a heartbeat into account."""
    if sight is None or sight.version != version or is_gap(sight, answered, lease_seconds):
        return Sight(version, answered, sent, answered)
    return Sight(version, sight.since, sent, answered)


def is_gap(sight: Sight, answered: float, lease_seconds: float) -> bool:
    """Whether the observer itself was away between two reads."""
    return answered - sight.answered > lease_seconds / BEATS_PER_LEASE


def silent_seconds(sight: Sight) -> float:
    """How long the value is known not to have changed."""
    return sight.sent - sight.since


def is_dead(sight: Sight, lease_seconds: float) -> bool:
    """Whether the silence has lasted a whole lease."""
    return silent_seconds(sight) >= lease_seconds
