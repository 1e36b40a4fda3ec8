"""How long what is left of a run will take. Registers no task."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence, Set

    from pipeline.model.plans import Batch, Plan
    from pipeline.model.pools import Pool


def expected_seconds(plan: Plan, pools: Sequence[Pool], done: Set[str]) -> float:
    """Seconds that what is left to do will take: a resumed run's finished tests cost nothing."""
    from pipeline.logic import pooling

    loads = ((plan.tests[batch.tests[0]].suite, _left(plan, batch, done)) for batch in plan.batches)
    return pooling.expected_seconds(pools, loads)


def _left(plan: Plan, batch: Batch, done: Set[str]) -> float:
    tests = [plan.tests[position] for position in batch.tests]
    if all(test.id not in done for test in tests):
        return batch.seconds  # With what its fixtures take.
    return sum(test.seconds for test in tests if test.id not in done)
