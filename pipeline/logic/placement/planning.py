"""Batches and buckets of tests that may not run everywhere: each batch has one set of queues, and begins in one of them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import evolve

from pipeline.logic.atoms import gather_atoms
from pipeline.logic.batching import CLAIM_SECONDS, make_batches
from pipeline.logic.placement.grounds import Amount, Grounds
from pipeline.logic.placement.offers import Demand, Place
from pipeline.logic.placement.proving import prove
from pipeline.logic.placement.tying import bound
from pipeline.model.plans import Batch
from pipeline.model.tests import Test

Terms = tuple[tuple[Place, ...], Amount]
"""Where a test may run, and what it needs there."""


def terms_of(tests: Sequence[Test], demands: Sequence[Demand], grounds: Grounds) -> Sequence[Terms]:
    """Of each test; equal for all that are never split. The tests are tied. Raises `PlacementError`."""
    places = prove(bound(tests, demands), grounds.hosts, is_whole=grounds.is_whole)
    amounts = [Amount(demand.cpus, demand.memory_bytes) for demand in demands]
    terms: list[Terms] = [(places[test.id], amount) for test, amount in zip(tests, amounts, strict=True)]
    for atom in gather_atoms(tests):
        if len(atom.tests) > 1:
            most = largest([amounts[at] for at in atom.tests])
            for at in atom.tests:
                terms[at] = (places[tests[at].id], most)
    return terms


def largest(amounts: Sequence[Amount]) -> Amount:
    """What is needed where one of several runs at a time."""
    return Amount(max(each.cpus or 0.0 for each in amounts), max(each.memory_bytes or 0 for each in amounts))


def batches_of_places(
    tests: Sequence[Test], terms: Sequence[Terms], *, seed: int = 0, claim_seconds: float = CLAIM_SECONDS
) -> tuple[Batch, ...]:
    """Cut tests into batches of equal terms, as `make_batches` does for as many workers as these have queues."""
    gather_atoms(tests)  # An exclusive resource of two suites is found here.
    alike: dict[Terms, list[int]] = {}
    for at, each in enumerate(terms):
        alike.setdefault(each, []).append(at)
    made: list[Batch] = []
    for (places, _), own in alike.items():
        some = [tests[at] for at in own]
        for batch in make_batches(some, len(places), seed=seed, claim_seconds=claim_seconds):
            made.append(evolve(batch, number=len(made), tests=tuple(own[at] for at in batch.tests)))
    return tuple(made)


def buckets_of_places(
    tests: Sequence[Test], batches: Sequence[Batch], terms: Sequence[Terms], seats: Sequence[Place]
) -> tuple[tuple[int, ...], ...]:
    """Assign every batch to a bucket of a queue that may run it: who has least choice first, then the longest, to whoever has least.

    Bucket i is that of slot i; some may be empty, but not the last. Batches of one suite are contiguous in each.
    """
    slots: Mapping[Place, int] = {place: slot for slot, place in enumerate(seats)}
    filled = [0.0] * len(seats)
    buckets: list[list[Batch]] = [[] for _ in seats]
    choice = {batch.number: [slots[place] for place in terms[batch.tests[0]][0]] for batch in batches}
    for batch in sorted(batches, key=lambda batch: (len(choice[batch.number]), -batch.seconds, batch.number)):
        slot = min(choice[batch.number], key=lambda slot: (filled[slot], slot))
        filled[slot] += batch.seconds
        buckets[slot].append(batch)
    made = [tuple(batch.number for batch in _in_order(tests, bucket)) for bucket in buckets]
    while len(made) > 1 and not made[-1]:
        made.pop()
    return tuple(made)


def _in_order(tests: Sequence[Test], bucket: Sequence[Batch]) -> list[Batch]:
    """Suites by what they weigh, and of each the longest batch first."""
    seconds: dict[str, float] = {}
    for batch in bucket:
        suite = tests[batch.tests[0]].suite
        seconds[suite] = seconds.get(suite, 0.0) + batch.seconds

    def rank(batch: Batch) -> tuple[float, str, float, int]:
        suite = tests[batch.tests[0]].suite
        return -seconds[suite], suite, -batch.seconds, batch.number

    return sorted(bucket, key=rank)
