"""What each queue is to run, for people and programs. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.logic.counting import count
from pipeline.logic.placement.grounds import Grounds
from pipeline.logic.placement.planning import terms_of
from pipeline.model.plans import Plan


def queues_told(plan: Plan, grounds: Grounds) -> list[dict[str, Any]]:
    """A row for each queue: `{queue, slot, tests, seconds, pinned, may_run, ranges}`. Raises `PlacementError`.

    `tests` and `seconds` are those of its bucket, where it begins; `may_run` counts all that it may take, `pinned` those that nobody
    else may.
    """
    terms = terms_of(plan.tests, grounds.demands(plan.tests), grounds)
    rows = []
    for slot, seat in enumerate(grounds.seats):
        bucket = plan.buckets[slot] if slot < len(plan.buckets) else ()
        own = [at for number in bucket for at in plan.batches[number].tests]
        able = [places for places, _ in terms if seat.place in places]
        rows.append(
            {
                "queue": str(seat.place),
                "slot": slot,
                "tests": len(own),
                "seconds": sum(plan.tests[at].seconds for at in own),
                "pinned": sum(len(places) == 1 for places in able),
                "may_run": len(able),
                "ranges": {each.name: each.written() for each in seat.ranges},
            }
        )
    return rows


def lines_of(rows: Sequence[dict[str, Any]]) -> list[str]:
    """The same for people."""
    lines = []
    for row in rows:
        ranges = "".join(f", {name} {written}" for name, written in row["ranges"].items())
        lines.append(
            f"  queue {row['queue']}: {count(row['tests'], 'test')}, {row['seconds']:.1f} s; may run {row['may_run']}, "
            f"{row['pinned']} of them nobody else{ranges}"
        )
    return lines
