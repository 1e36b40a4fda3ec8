"""The frozen plan: tests, estimates, batches, buckets and seed.

Written once to the store as `runs/<run>/plan` and, for people, to `build/group/plan.json`.
"""

from __future__ import annotations

from attrs import frozen

from pipeline.model.tests import Test

PLAN_VERSION = 1


@frozen(kw_only=True)
class Batch:
    """Tests claimed together, in order."""

    number: int
    bucket: int
    """The bucket it was first assigned to."""
    tests: tuple[int, ...]
    """Positions in `Plan.tests`; all of one suite."""
    seconds: float
    """Estimate of the whole, fixture set-up included where known."""
    exclusive: str = ""

    @property
    def name(self) -> str:
        """The batch's name in store keys: fixed width, so that listings sort in order."""
        return f"{self.number:06d}"


@frozen(kw_only=True)
class Plan:
    """What one run must do. It never changes; `digest` names it in every object of the run."""

    digest: str
    """SHA-256 (hex) of the canonical JSON of everything below; see `logic.planning`."""
    version: int = PLAN_VERSION
    seed: int = 0
    tests: tuple[Test, ...] = ()
    batches: tuple[Batch, ...] = ()
    buckets: tuple[tuple[int, ...], ...] = ()
    """Batch numbers per bucket, in the order they should run."""
    retries: int = 0
    fail_fast: int = 0
    """Close after that many bad verdicts; 0 means never."""
