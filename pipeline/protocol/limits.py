"""How long and how often the protocol waits before it gives something up: plain numbers, set elsewhere."""

from __future__ import annotations

from attrs import field, frozen

from pipeline.logic.blame import Patience
from pipeline.logic.silence import BEATS_PER_LEASE

PERMISSION_PER_LEASE = 0.5
"""A guard's permission, of a lease: it ends long before anybody may act on a tombstone."""
LINGER_LEASES = 3
"""Longer than batches of exclusive tests wait for the dead."""


@frozen(kw_only=True)
class Limits:
    """All spans in seconds, all budgets per agent term."""

    lease_seconds: float = 20.0
    max_losses: int = 10
    """Workers lost before the run is left open as not trustworthy."""
    max_disruptions: int = 100
    """Workers whose places were taken away, or who were given up alive, before the run is left open: it does not get on."""
    max_crashes_per_test: int = 2
    max_kills_per_test: int = 5
    """Deaths by SIGKILL: these may be another process's doing."""
    max_losses_per_test: int = 5
    test_timeout_seconds: dict[str, float] = field(factory=dict)
    """By suite; none: off."""
    retries: dict[str, int] = field(factory=dict)
    """By suite, how often a failed test is tried again at once; the plan's number for those not named."""
    slow_after_seconds: float = 60.0
    run_timeout_seconds: float | None = None
    flush_seconds: float = 0.25
    """At most this much of a journal is lost with its worker."""
    birth_seconds: float = 600.0
    """From hiring a worker that lives elsewhere to its birth; then another takes its slot."""
    finish_seconds: float = 30.0
    """For tear-down after `finish`, then the harness is killed."""
    stop_seconds: float = 3.0
    """For everything after the first signal."""
    idle_seconds: float = 0.5
    """Between two looks for work that may have come back."""
    room_seconds: float = 20.0
    """Between two questions whether there is room for more workers, while the answer is yes; longer while it is no."""
    hear_seconds: float = 0.4
    """Between two looks at the journals of workers elsewhere: a person sees their tests that late. Costs a listing and a
    read for each worker, so stores that charge for them want more."""
    retry_seconds: float = 0.2
    outage_seconds: float = 120.0
    """Without an answer of the store, before the run is left open."""
    max_failed_starts: int = 3
    """Harnesses in a row that end without a word."""

    @property
    def beat_seconds(self) -> float:
        """Between two heartbeats."""
        return self.lease_seconds / BEATS_PER_LEASE

    @property
    def watch_seconds(self) -> float:
        """Between two looks at births and tombstones."""
        return self.lease_seconds / 10

    @property
    def linger_seconds(self) -> float:
        """How long a worker elsewhere has nothing to do before it ends: its leader may be gone for good."""
        return self.lease_seconds * LINGER_LEASES

    @property
    def permission_seconds(self) -> float:
        """How long after a renewal's stamp a guard lets its harness live."""
        return self.lease_seconds * PERMISSION_PER_LEASE

    @property
    def patience(self) -> Patience:
        """With tests that take their harness along."""
        return Patience(
            crashes=self.max_crashes_per_test, kills=self.max_kills_per_test, losses=self.max_losses_per_test
        )
