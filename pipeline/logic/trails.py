"""What a journal says about each batch attempt, without the results themselves.

Pure: records in, trails out. Serves workers that take over a batch and the leader that counts what is done.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from attrs import define, field

from pipeline.logic.blame import Charges, Judgement, add_charge, in_flight
from pipeline.logic.records import Record, read_record
from pipeline.model.verdicts import BAD

_MAY_BE_BAD = re.compile('"verdict": ?"(?:' + "|".join(sorted(BAD)) + ')"')

ABOUT_WORKER = ("head", "ready")
"""Records that are about no batch."""

Attempt = tuple[int, int]
"""(batch, attempt)."""


@define
class Trail:
    """One batch attempt, as its worker's journal tells it."""

    worker: str
    finals: set[int] = field(factory=set)
    bad: set[int] = field(factory=set)
    steps: list[tuple[str, int]] = field(factory=list)
    parts: dict[int, tuple[int, ...]] = field(factory=dict)
    charges: dict[int, Charges] = field(factory=dict)
    deaths: int = 0

    @property
    def flying(self) -> int | None:
        """The test that was in flight when the journal ends, if its start was durable."""
        return in_flight(self.steps)


def follow(worker: str, lines: Iterable[bytes]) -> dict[Attempt, Trail]:
    """Read a journal. Raises `StoreDamaged`."""
    trails: dict[Attempt, Trail] = {}
    for line in lines:
        record = read_record(line)
        if record.kind in ABOUT_WORKER:
            continue
        trail = trails.get((record.batch, record.attempt))
        if trail is None:
            trail = trails[record.batch, record.attempt] = Trail(worker)
        _note(trail, record)
    return trails


def _note(trail: Trail, record: Record) -> None:
    trail.steps.append((record.kind, record.test))
    if record.kind == "final":
        trail.finals.add(record.test)
        if is_bad(record):
            trail.bad.add(record.test)
    elif record.kind == "death":
        trail.deaths += 1
        body = record.body
        add_charge(
            trail.charges, Judgement(charge=body.get("charge", ""), test=record.test, cause=body.get("cause", ""))
        )
    elif record.kind == "part":
        body = record.body
        trail.parts[int(body["part"])] = tuple(body["tests"])


def is_bad(record: Record) -> bool:
    """Whether a final record's verdict is bad. Most are not, and are told so without parsing."""
    return _MAY_BE_BAD.search(record.text) is not None and record.body.get("verdict") in BAD
