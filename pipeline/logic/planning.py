"""Freeze a plan: number, check and digest it. A plan that leaves here is whole; one that is not never leaves.

The canonical bytes are made in `plan_codec`; this module must not know the store or where files lie.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import chain

from attrs import evolve

from pipeline.errors import UntrustworthyRun
from pipeline.logic.plan_codec import body_chunks
from pipeline.model.plans import Batch, Plan
from pipeline.model.tests import Test


def freeze(
    tests: Sequence[Test],
    batches: Sequence[Batch],
    buckets: Sequence[Sequence[int]],
    *,
    seed: int = 0,
    retries: int = 0,
    fail_fast: int = 0,
) -> Plan:
    """Make the plan of batches and buckets as `make_batches` and `make_buckets` return them.

    Raises `UntrustworthyRun` when these are no partition of the tests, or a batch mixes suites.
    """
    homes = {number: bucket for bucket, numbers in enumerate(buckets) for number in numbers}
    plan = Plan(
        digest="",
        seed=seed,
        tests=tuple(tests),
        batches=tuple(evolve(batch, bucket=homes.get(batch.number, -1)) for batch in batches),
        buckets=tuple(tuple(bucket) for bucket in buckets),
        retries=retries,
        fail_fast=fail_fast,
    )
    fault = find_fault(plan)
    if fault:
        raise UntrustworthyRun(f"plan is not whole: {fault}", hint="this is a defect of doit-fleet or of a plug-in")
    return evolve(plan, digest=digest(plan))


def digest(plan: Plan) -> str:
    """SHA-256 (hex) of the canonical JSON of everything in the plan but the digest itself."""
    hasher = hashlib.sha256()
    for chunk in body_chunks(plan):
        hasher.update(chunk)
    return hasher.hexdigest()


def find_fault(plan: Plan) -> str:
    """Say in which way the plan is not whole, or nothing."""
    return _fault_of_tests(plan) or _fault_of_buckets(plan) or _fault_of_batches(plan)


def _fault_of_tests(plan: Plan) -> str:
    if len({test.id for test in plan.tests}) != len(plan.tests):
        return "two tests share one id"
    planned = list(chain.from_iterable(batch.tests for batch in plan.batches))
    if len(planned) != len(plan.tests) or set(planned) != set(range(len(plan.tests))):
        return "batches do not hold every test exactly once"
    return ""


def _fault_of_buckets(plan: Plan) -> str:
    if [batch.number for batch in plan.batches] != list(range(len(plan.batches))):
        return "batches are not numbered in order"
    if sorted(number for bucket in plan.buckets for number in bucket) != list(range(len(plan.batches))):
        return "buckets do not hold every batch exactly once"
    wrong = (n for bucket, numbers in enumerate(plan.buckets) for n in numbers if plan.batches[n].bucket != bucket)
    number = next(wrong, None)
    return "" if number is None else f"batch {number} names another bucket than the one that holds it"


def _fault_of_batches(plan: Plan) -> str:
    holders: dict[str, int] = {}
    for batch in plan.batches:
        if not batch.tests:
            return f"batch {batch.number} is empty"
        if len({plan.tests[at].suite for at in batch.tests}) > 1:
            return f"batch {batch.number} mixes suites"
        for resource in {plan.tests[at].exclusive for at in batch.tests} - {""}:
            if holders.setdefault(resource, batch.number) != batch.number:
                return f"exclusive resource {resource!r} is in two batches"
    return ""
