"""What `group`, `launch` and `plan` do where not every queue may run every test. Registers no task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipeline.logic.placement import planning, tying

if TYPE_CHECKING:
    from pipeline.logic.placement.grounds import Grounds
    from pipeline.model.plans import Plan
    from pipeline.model.tests import Test
    from pipeline.stages.agent import Wishes


def tied(tests: Sequence[Test], grounds: Grounds) -> Sequence[Test]:
    """The tests, with what must be together as the planner keeps it together. Raises `UsageError`."""
    return tying.tied(tests, grounds.demands(tests))


def plan_of(tests: Sequence[Test], grounds: Grounds, wishes: Wishes, fail_fast: int) -> Plan:
    """The plan of tied tests: proved first. Raises `PlacementError` that names each test that has no place."""
    from pipeline.logic.planning import freeze

    terms = planning.terms_of(tests, grounds.demands(tests), grounds)
    batches = planning.batches_of_places(tests, terms, seed=wishes.seed, claim_seconds=wishes.claim_seconds)
    buckets = planning.buckets_of_places(tests, batches, terms, [seat.place for seat in grounds.seats])
    return freeze(tests, batches, buckets, seed=wishes.seed, fail_fast=fail_fast)
