"""The part of a plan that one agent works on, where each has a part of its own: some buckets, and nothing that waits elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pipeline.model.plans import Plan
from pipeline.protocol.progress import Progress


class Share:
    """One agent's. Without buckets it is the whole plan."""

    def __init__(self, plan: Plan, buckets: Sequence[int]) -> None:
        self.buckets = tuple(buckets)
        self._plan = plan
        own = {batch for bucket in self.buckets if bucket < len(plan.buckets) for batch in plan.buckets[bucket]}
        self.foreign: Collection[int] = (
            frozenset(batch.number for batch in plan.batches if batch.number not in own)
            if self.buckets
            else frozenset()
        )
        """Batches that are others'."""

    def bucket(self, seat: int, slot: int) -> int:
        """The bucket of this agent's slot number `seat`, which is `slot` among those of all agents."""
        return self.buckets[seat] if self.buckets else slot

    def is_done(self, progress: Progress) -> bool:
        """Whether there is a share, and all of it is done."""
        if not self.buckets:
            return False
        own = (batch for batch in self._plan.batches if batch.number not in self.foreign)
        return all(progress.is_done(test) for batch in own for test in batch.tests)
