"""How long each test will probably take: its own history, else its file's mean, else its suite's, else a prior.

Knows nothing of where history is kept or which runs count: it is handed seconds by test id.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from pipeline.model.tests import Test

_Names = tuple[str, ...]

PRIOR_SECONDS = 0.1
"""What a test is taken to last when nothing at all is known of its suite: long enough that a handful of such tests
is spread over workers, and only ratios matter beyond that."""


def estimate(tests: Sequence[Test], known: Mapping[str, float]) -> tuple[Test, ...]:
    """Fill in `seconds` of every test, in the same order.

    Values of `known` that are no duration (negative, infinite, not a number) count as unknown.
    """
    own = [_duration(known.get(test.id)) for test in tests]
    files, suites = _means(tests, own)
    return tuple(
        _with_seconds(test, _guess(test, files, suites) if seconds is None else seconds)
        for test, seconds in zip(tests, own, strict=True)
    )


def _guess(test: Test, files: Mapping[_Names, float], suites: Mapping[_Names, float]) -> float:
    mean = files.get((test.suite, test.file))
    return mean if mean is not None else suites.get((test.suite,), PRIOR_SECONDS)


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
    return seconds if seconds is not None and 0 <= seconds < math.inf else None


def _means(tests: Sequence[Test], own: Sequence[float | None]) -> tuple[dict[_Names, float], dict[_Names, float]]:
    """Means of what is known, by suite and file, and by suite."""
    files: dict[_Names, list[float]] = {}
    for test, seconds in zip(tests, own, strict=True):
        if seconds is not None:
            files.setdefault((test.suite, test.file), []).append(seconds)
    suites: dict[_Names, list[float]] = {}
    for names, some in files.items():
        suites.setdefault(names[:1], []).extend(some)
    return {names: sum(some) / len(some) for names, some in files.items()}, {
        names: sum(some) / len(some) for names, some in suites.items()
    }
