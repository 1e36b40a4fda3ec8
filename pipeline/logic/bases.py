"""What a good verdict rests on, part by part, and whether one of an earlier run still stands in a later one.

Pure. A verdict stands when everything that decided it is equal: what all tests of its suite share, and its own row. Which
files a test reads is not known, so every source counts but those that only say which tests there are.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from attrs import asdict, evolve, field, frozen

from pipeline.errors import StoreDamaged
from pipeline.model.tests import Test
from pipeline.model.verdicts import Result, Verdict

NAMED: Final = 5
ORIGIN: Final = "taken_over_from"
"""The property of a result that names the run in which the test ran."""

PLAIN: Final = {
    "sources": "file",
    "environment": "variable",
    "pyproject.toml": "pyproject.toml beside our tables",
    "doit-fleet": "the version of doit-fleet",
}
"""What parts are called in a sentence; others as they are."""


@frozen(kw_only=True)
class Basis:
    """Of one run. Digests, never values: there may be secrets among them."""

    shared: Mapping[str, Any] = field(factory=dict)
    """Part to digest, or to digests by name: of all suites."""
    suites: Mapping[str, Mapping[str, str]] = field(factory=dict)
    """Part to digest, by suite."""
    rows: Mapping[str, str] = field(factory=dict)
    """Digest by `row_key`."""
    places: Mapping[str, str] = field(factory=dict)
    """Of where tests may run: digest to name. What ran where there was less choice stands."""
    wall: float = 0.0
    """When the run began, by its agent's clock: for people, and to look at the newest first."""


def row_key(test: Test) -> str:
    """How a test is found in another run's rows."""
    return f"{test.suite}::{test.native}#{test.occurrence}"


def differences(before: Basis, now: Basis, suite: str) -> list[str]:
    """What is otherwise for that suite, for people; none: the verdicts of equal rows stand."""
    if suite not in before.suites or suite not in now.suites:
        return [f"suite {suite!r} was not there"]
    found = list(_differences(before.shared, now.shared))
    found += [f"place {name!r}" for digest, name in sorted(before.places.items()) if digest not in now.places]
    found += [f"{part} of suite {suite!r}" for part in _different(before.suites[suite], now.suites[suite])]
    return found


def is_same(head: Basis, basis: Basis) -> bool:
    """Whether a head without rows is that of this basis."""
    return to_bytes(evolve(head, wall=basis.wall))[0] == to_bytes(basis)[0]


def standing(before: Basis, now: Basis, tests: Sequence[Test], results: Mapping[str, Result]) -> set[int]:
    """Positions of tests whose verdict of the earlier run stands; `results` are that run's by `row_key`.

    Only good ones that passed at once. Tests that are kept together stand together or not at all: one of them may need what
    another has done before.
    """
    suites = {test.suite for test in tests}
    same = {suite for suite in suites if not differences(before, now, suite)}
    found = {at for at, test in enumerate(tests) if test.suite in same and _stands(before, now, test, results)}
    broken = {(test.suite, test.unit) for at, test in enumerate(tests) if test.unit and at not in found}
    return {at for at in found if (tests[at].suite, tests[at].unit) not in broken}


def to_bytes(basis: Basis) -> tuple[bytes, bytes]:
    """(head, rows): equal values give equal bytes."""
    head = asdict(basis)
    rows = head.pop("rows")
    return _encode(head), zlib.compress(_encode(rows))


def head_from_bytes(data: bytes) -> Basis:
    """All but the rows. Raises `StoreDamaged`."""
    told = _decode(data)
    try:
        return Basis(
            shared=dict(told["shared"]),
            suites=dict(told["suites"]),
            places=dict(told["places"]),
            wall=float(told["wall"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise StoreDamaged(f"the basis of a run in the store is damaged: {error}") from error


def rows_from_bytes(data: bytes) -> dict[str, str]:
    """The rows. Raises `StoreDamaged`."""
    try:
        return {str(key): str(value) for key, value in _decode(zlib.decompress(data)).items()}
    except zlib.error as error:
        raise StoreDamaged(f"the rows of a run in the store are damaged: {error}") from error


def checked_to_bytes(tests: Iterable[str]) -> bytes:
    """Ids of tests behind whose verdicts the sources were looked at again."""
    return zlib.compress(_encode({"tests": sorted(tests)}))


def checked_from_bytes(data: bytes) -> frozenset[str]:
    """Those ids. Raises `StoreDamaged`."""
    try:
        return frozenset(map(str, _decode(zlib.decompress(data))["tests"]))
    except (zlib.error, KeyError, TypeError) as error:
        raise StoreDamaged(f"what was looked at again of a run in the store is damaged: {error}") from error


def told_differences(found: Collection[str]) -> str:
    """For a line."""
    named = list(found)[:NAMED]
    more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
    return f"{', '.join(named)}{more}"


def _stands(before: Basis, now: Basis, test: Test, results: Mapping[str, Result]) -> bool:
    key = row_key(test)
    digest, result = now.rows.get(key), results.get(key)
    if digest is None or before.rows.get(key) != digest or result is None:
        return False
    return result.verdict is Verdict.PASSED and not result.earlier


def _differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    for part in _different(before, now):
        old, new = before.get(part), now.get(part)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from (f"{PLAIN.get(part, part)} {name!r}" for name in _different(old, new))
        else:
            yield PLAIN.get(part, part)


def _different(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    return [name for name in sorted({*before, *now}) if before.get(name) != now.get(name)]


def _encode(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii")


def _decode(data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise StoreDamaged(f"the basis of a run in the store is damaged: {error}") from error
    if not isinstance(found, dict):
        raise StoreDamaged("the basis of a run in the store is damaged: it is no object")
    return found
