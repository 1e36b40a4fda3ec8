"""A plan as canonical JSON, piece by piece, so that a million tests need no second copy of themselves in memory.

Layout and schema: `docs/plan.md`. One plan has one spelling: ASCII, no spaces, fixed order of keys, defaults left out
at the end of a row. Reading is in `plan_reading`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from pipeline.logic.naming import test_id
from pipeline.model.plans import Batch, Plan
from pipeline.model.tests import Test

_ROWS = 2_000
"""Rows that are turned into text at once."""


def to_json(plan: Plan) -> bytes:
    """The plan as the store and `plan.json` hold it: the digest, then what it is the digest of."""
    return b"".join(json_chunks(plan))


def json_chunks(plan: Plan) -> Iterator[bytes]:
    """`to_json` piece by piece, for writing."""
    yield b'{"digest":"' + plan.digest.encode("ascii") + b'",'
    chunks = body_chunks(plan)
    yield next(chunks)[1:]
    yield from chunks


def body_chunks(plan: Plan) -> Iterator[bytes]:
    """The canonical bytes that the digest is made of: an object of everything but the digest."""
    names = _Names(plan.tests)
    head = {"version": plan.version, "seed": plan.seed, "retries": plan.retries, "fail_fast": plan.fail_fast}
    yield _dump(head)[:-1]
    yield b',"buckets":' + _dump([list(bucket) for bucket in plan.buckets])
    yield b',"suites":' + _dump(list(names.suites)) + b',"files":' + _dump(list(names.files))
    yield b',"batches":['
    yield from _rows(_batch_row(batch) for batch in plan.batches)
    yield b'],"tests":['
    yield from _rows(names.row(test) for test in plan.tests)
    yield b"]}"


def _dump(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode("ascii")


def _rows(rows: Iterable[list[object]]) -> Iterator[bytes]:
    separator = b""
    rows = iter(rows)
    while some := list(islice(rows, _ROWS)):
        yield separator + _dump(some)[1:-1]
        separator = b","


def _batch_row(batch: Batch) -> list[object]:
    return [batch.seconds, list(batch.tests), *([batch.exclusive] if batch.exclusive else [])]


class _Names:
    """Suites and files by number, in order of first use."""

    def __init__(self, tests: Sequence[Test]) -> None:
        self.suites = _numbered(test.suite for test in tests)
        self.files = _numbered(test.file for test in tests)

    def row(self, test: Test) -> list[object]:
        """`[suite, file, native, seconds, occurrence, unit, exclusive, id]`, without defaults at its end."""
        suite, native = test.suite, test.native
        row: list[object] = [self.suites[suite], self.files[test.file], native, test.seconds]
        if test.occurrence or test.unit or test.exclusive or test.id != f"{suite}::{native}":
            own_id = "" if test.id == test_id(suite, native, test.occurrence) else test.id
            row += [test.occurrence, test.unit, test.exclusive, own_id]
            while not row[-1]:
                row.pop()
        return row


def _numbered(names: Iterable[str]) -> dict[str, int]:
    return {name: number for number, name in enumerate(dict.fromkeys(names))}
