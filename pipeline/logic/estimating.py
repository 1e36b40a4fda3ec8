"""How long each test will probably take: its own history, else its file's mean, else its suite's, else a prior.

Knows nothing of where history is kept or which runs count: it is handed seconds by test id.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

from pipeline.model.tests import Test

_Key = TypeVar("_Key", bound=Hashable)

PRIOR_SECONDS = 0.1
"""What a test is taken to last when nothing at all is known of its suite: long enough that a handful of such tests
is spread over workers, and only ratios matter beyond that."""


def estimate(tests: Sequence[Test], known: Mapping[str, float]) -> tuple[Test, ...]:
    """Fill in `seconds` of every test, in the same order.

    Values of `known` that are no duration (negative, infinite, not a number) count as unknown.
    """
    own = [_duration(known.get(test.id)) for test in tests]
    files = _means(((test.suite, test.file), seconds) for test, seconds in zip(tests, own, strict=True))
    suites = _means((test.suite, seconds) for test, seconds in zip(tests, own, strict=True))
    return tuple(
        _with_seconds(test, _first(seconds, files.get((test.suite, test.file)), suites.get(test.suite)))
        for test, seconds in zip(tests, own, strict=True)
    )


def _with_seconds(test: Test, seconds: float) -> Test:
    """Like `attrs.evolve`, which takes several times as long: there may be a million tests."""
    return Test(
        id=test.id,
        suite=test.suite,
        native=test.native,
        occurrence=test.occurrence,
        file=test.file,
        unit=test.unit,
        exclusive=test.exclusive,
        seconds=seconds,
    )


def _duration(seconds: float | None) -> float | None:
    return seconds if seconds is not None and math.isfinite(seconds) and seconds >= 0 else None


def _first(*choices: float | None) -> float:
    return next((choice for choice in choices if choice is not None), PRIOR_SECONDS)


def _means(samples: Iterable[tuple[_Key, float | None]]) -> dict[_Key, float]:
    sums: dict[_Key, tuple[float, int]] = {}
    for key, seconds in samples:
        if seconds is not None:
            total, count = sums.get(key, (0.0, 0))
            sums[key] = (total + seconds, count + 1)
    return {key: total / count for key, (total, count) in sums.items()}
