"""Assign batches to buckets, one per worker: longest first to whoever has least, near the harness that knows the file.

A bucket is only where a worker begins; stealing mends what estimates got wrong. Pure; knows nothing of slots' harnesses
but which has collected which file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import define, field

from pipeline.logic.batching import Affinity
from pipeline.model.plans import Batch
from pipeline.model.tests import Test

GROUP = 0.25
"""Consecutive batches of one file go to one bucket up to this share of a worker's whole time."""


@define
class _Group:
    """Batches of one file that are best run by one worker."""

    suite: str
    slot: int
    seconds: float = 0.0
    batches: list[Batch] = field(factory=list)

    @property
    def longest(self) -> float:
        return max(batch.seconds for batch in self.batches)


def make_buckets(
    tests: Sequence[Test],
    batches: Sequence[Batch],
    workers: int,
    *,
    affinity: Affinity | None = None,
    reach: Mapping[str, int] | None = None,
) -> tuple[tuple[int, ...], ...]:
    """Assign every batch to one bucket: the batch numbers of each, in the order they should run.

    There are never more buckets than batches. Bucket i is that of slot i. Batches of one suite are contiguous in each.
    `reach` says of suites that only so many of the first buckets are theirs.
    """
    reach = reach or {}
    count = max(1, min(workers, len(batches)))
    share = sum(batch.seconds for batch in batches) / count
    groups = _groups(tests, batches, GROUP * share, affinity or {})
    room = [share] * count
    buckets: list[list[_Group]] = [[] for _ in range(count)]
    for suite in _suites(groups, reach):
        own = [group for group in groups if group.suite == suite]
        for bucket, placed in enumerate(_place(own, room[: reach.get(suite, count)])):
            buckets[bucket] += placed
            room[bucket] -= sum(group.seconds for group in placed)
    return tuple(tuple(batch.number for group in bucket for batch in group.batches) for bucket in buckets)


def _suites(groups: Sequence[_Group], reach: Mapping[str, int]) -> list[str]:
    """Suites by descending weight, so that small ones end in as few buckets as possible; who has least choice first."""
    seconds: dict[str, float] = {}
    for group in groups:
        seconds[group.suite] = seconds.get(group.suite, 0.0) + group.seconds
    return sorted(seconds, key=lambda suite: (reach.get(suite, 0), -seconds[suite], suite))


def _groups(tests: Sequence[Test], batches: Sequence[Batch], limit: float, affinity: Affinity) -> list[_Group]:
    """Join batches of one file up to the limit."""
    groups: list[_Group] = []
    open_groups: dict[tuple[str, str], _Group] = {}
    for batch in batches:
        first = tests[batch.tests[0]]
        key = (first.suite, first.file)
        group = open_groups.get(key)
        if group is None or group.seconds + batch.seconds > limit:
            group = _Group(first.suite, affinity.get(first.suite, {}).get(first.file, -1))
            groups.append(group)
            open_groups[key] = group
        group.batches.append(batch)
        group.seconds += batch.seconds
    return groups


def _place(groups: Sequence[_Group], room: Sequence[float]) -> list[list[_Group]]:
    """Longest group first: to its own slot while that has room for half of it, else to the bucket with the most room.

    A suite gets room bucket by bucket, so that a small one starts few harnesses.
    """
    room = _granted(sum(group.seconds for group in groups), room)
    placed: list[list[_Group]] = [[] for _ in room]
    for group in sorted(groups, key=lambda group: -group.seconds):
        bucket = group.slot
        if not (0 <= bucket < len(room) and 2 * room[bucket] >= group.seconds):
            bucket = max(range(len(room)), key=room.__getitem__)
        placed[bucket].append(group)
        room[bucket] -= group.seconds
    return [_in_order(bucket) for bucket in placed]


def _granted(seconds: float, room: Sequence[float]) -> list[float]:
    """Share out the emptiest buckets first, each whole, until the suite's weight is covered."""
    granted = [float("-inf")] * len(room)
    for bucket in sorted(range(len(room)), key=lambda bucket: -room[bucket]):
        if seconds > 0:
            granted[bucket] = min(seconds, room[bucket]) if room[bucket] > 0 else room[bucket]
            seconds -= max(granted[bucket], 0.0)
    return granted


def _in_order(groups: Sequence[_Group]) -> list[_Group]:
    """Long batches first and small ones last; the batches of a group stay together, longest first."""
    for group in groups:
        group.batches.sort(key=lambda batch: (-batch.seconds, batch.number))
    return sorted(groups, key=lambda group: (-group.longest, group.batches[0].number))
