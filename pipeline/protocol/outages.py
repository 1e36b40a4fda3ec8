"""Say what ails the store while it does not answer, but not at every call that meets the outage."""

from __future__ import annotations

from collections.abc import Callable

from pipeline.errors import StoreUnavailable
from pipeline.ports import Clock

TOLD_SECONDS = 30.0
"""Between two words about it."""


class Outages:
    """Called with what a call of the store raised."""

    def __init__(self, clock: Clock, notice: Callable[[str], None]) -> None:
        self._clock, self._notice = clock, notice
        self._told = float("-inf")

    def __call__(self, error: StoreUnavailable) -> None:
        """Tell a person, if that was not done just now."""
        now = self._clock.monotonic()
        if now - self._told >= TOLD_SECONDS:
            self._told = now
            self._notice(f"the store does not answer, the run waits: {error}")
