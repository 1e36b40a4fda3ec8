"""Read a plan back from its canonical JSON. Bytes from a store are hostile: each value is checked, once, here.

Whatever is not a whole plan of this version with the digest it claims is `StoreDamaged`, never another exception.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, TypeVar

from pipeline.errors import StoreDamaged
from pipeline.logic.naming import test_id
from pipeline.logic.planning import find_fault
from pipeline.model.plans import PLAN_VERSION, Batch, Plan
from pipeline.model.tests import Test

_HEAD = b'{"digest":"'
_KEYS = ("version", "seed", "retries", "fail_fast", "buckets", "suites", "files", "batches", "tests")
_HINT = "delete it and run again: a new plan is made"
_Item = TypeVar("_Item")


def from_json(data: bytes) -> Plan:
    """Check the bytes that `plan_codec.to_json` made and return their plan. Raises `StoreDamaged`."""
    digest = _checked_digest(data)
    document = _parsed(data)
    version = document.get("version")
    if version != PLAN_VERSION:
        raise StoreDamaged(
            f"plan has version {_shown(version)}, this doit-fleet reads {PLAN_VERSION!r}",
            hint="use the doit-fleet that wrote it, or start a new run",
        )
    missing = [key for key in _KEYS if key not in document]
    if missing:
        _damaged(f"{missing[0]!r} is missing")
    plan = _plan(digest, document)
    fault = find_fault(plan)
    return plan if not fault else _damaged(fault)


def _plan(digest: str, document: dict[str, Any]) -> Plan:
    suites = _list(document["suites"], "suites", _text)
    files = _list(document["files"], "files", _text)
    buckets = tuple(
        tuple(_list(bucket, "buckets", _whole)) for bucket in _list(document["buckets"], "buckets", _as_list)
    )
    homes = {number: at for at, bucket in enumerate(buckets) for number in bucket}
    batches = _list(document["batches"], "batches", _as_list)
    return Plan(
        digest=digest,
        seed=_whole(document["seed"], "seed"),
        retries=_whole(document["retries"], "retries"),
        fail_fast=_whole(document["fail_fast"], "fail_fast"),
        buckets=buckets,
        batches=tuple(_batch(number, homes.get(number, -1), row) for number, row in enumerate(batches)),
        tests=tuple(_test(row, suites, files) for row in _list(document["tests"], "tests", _as_list)),
    )


def _test(row: list[Any], suites: Sequence[str], files: Sequence[str]) -> Test:
    if not 4 <= len(row) <= 8:
        _damaged(f"test {_shown(row)} has {len(row)} fields")
    suite = _pick(suites, row[0], "suite")
    native = _text(row[2], "native id")
    occurrence = _whole(row[4], "occurrence") if len(row) > 4 else 0
    own_id = _text(row[7], "id") if len(row) > 7 else ""
    return Test(
        id=own_id or test_id(suite, native, occurrence),
        suite=suite,
        native=native,
        occurrence=occurrence,
        file=_pick(files, row[1], "file"),
        unit=_text(row[5], "unit") if len(row) > 5 else "",
        exclusive=_text(row[6], "exclusive") if len(row) > 6 else "",
        seconds=_seconds(row[3], "seconds"),
    )


def _batch(number: int, bucket: int, row: list[Any]) -> Batch:
    if not 2 <= len(row) <= 3:
        _damaged(f"batch {number} has {len(row)} fields")
    return Batch(
        number=number,
        bucket=bucket,
        tests=tuple(_list(row[1], "batches", _whole)),
        seconds=_seconds(row[0], "seconds"),
        exclusive=_text(row[2], "exclusive") if len(row) > 2 else "",
    )


def _checked_digest(data: bytes) -> str:
    start, end = len(_HEAD), len(_HEAD) + 64
    if data[:start] != _HEAD or data[end : end + 2] != b'",':
        _damaged("it does not begin with its digest")
    hasher = hashlib.sha256(b"{")
    hasher.update(memoryview(data)[end + 2 :])
    found = hasher.hexdigest()
    if data[start:end] != found.encode("ascii"):
        _damaged(f"its digest is {found!r}, not {_shown(data[start:end].decode('ascii', 'replace'))}")
    return found


def _parsed(data: bytes) -> dict[str, Any]:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise StoreDamaged(f"plan is damaged: {error}", hint=_HINT) from error
    return document if isinstance(document, dict) else _damaged("it is no object")


def _list(value: object, name: str, each: Callable[[Any, str], _Item]) -> list[_Item]:
    return [each(item, name) for item in _as_list(value, name)]


def _as_list(value: object, name: str) -> list[Any]:
    return value if isinstance(value, list) else _damaged(f"{name} holds {_shown(value)}, no list")


def _text(value: object, name: str) -> str:
    return value if isinstance(value, str) else _damaged(f"{name} holds {_shown(value)}, no text")


def _whole(value: object, name: str) -> int:
    is_whole = type(value) is int and value >= 0
    return value if is_whole else _damaged(f"{name} holds {_shown(value)}, no whole number")  # type: ignore[return-value]


def _seconds(value: object, name: str) -> float:
    is_span = type(value) in {int, float} and math.isfinite(value) and value >= 0  # type: ignore[arg-type,operator]
    return float(value) if is_span else _damaged(f"{name} holds {_shown(value)}, no duration")  # type: ignore[arg-type]


def _pick(names: Sequence[str], at: object, name: str) -> str:
    number = _whole(at, name)
    return names[number] if number < len(names) else _damaged(f"{name} {number!r} is not in its table")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"


def _damaged(what: str) -> NoReturn:
    raise StoreDamaged(f"plan is damaged: {what}", hint=_HINT)
