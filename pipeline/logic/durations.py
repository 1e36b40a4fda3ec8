"""How long tests took in recent valid runs: what a run teaches, what is expected then, and one branch's knowledge as bytes.

Pure. Bytes come from a store and are hostile: what is no such object is `StoreDamaged`. Where they lie is not known here.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Iterator, Sequence
from typing import Any, Final

from attrs import define, field

from pipeline.errors import EXIT_GOOD, EXIT_TESTS_FAILED, StoreDamaged
from pipeline.logic.decaying import decayed_median
from pipeline.model.runs import MergedRun
from pipeline.model.verdicts import Verdict

KEEP_RUNS: Final = 20
KEEP_DAYS: Final = 90
MOST_TESTS: Final = 200_000
"""Of one branch, in bytes; those that were not seen for longest are left out."""
MOST_NAMES: Final = 500
"""Of runs that have been learned, so that none counts twice."""
MOST_BYTES: Final = 2**28
"""Of an object when it is unpacked."""
FORMAT: Final = 1

_TIMED: Final = frozenset({Verdict.PASSED, Verdict.FAILED, Verdict.XFAILED, Verdict.XPASSED})

Sample = tuple[str, str, float, bool]
"""(suite, test, seconds, whether it was skipped)."""
Known = tuple[float, int, Sequence[float]]
"""(seconds expected, day it was seen last, durations from the newest on)."""


def is_valid(run: MergedRun) -> bool:
    """Whether the run's durations can be trusted: it ended in order, whole, and of one state of the sources."""
    ended = run.exit_code in (EXIT_GOOD, EXIT_TESTS_FAILED)
    return ended and not (run.missing or run.errors or run.mixed)


def samples(run: MergedRun) -> Iterator[Sample]:
    """What a run tells of its tests."""
    for outcome in run.outcomes:
        result = outcome.result
        if result.verdict in _TIMED or result.verdict is Verdict.SKIPPED:
            suite = result.test.partition("::")[0]
            yield suite, result.test, result.seconds, result.verdict is Verdict.SKIPPED


@define
class Durations:
    """What one branch knows. Days are counted since the epoch."""

    runs: dict[str, int] = field(factory=dict)
    """The day on which each was learned."""
    tests: dict[str, Known] = field(factory=dict)

    def learn(self, run: str, found: Sequence[Sample], *, day: int, keep_runs: int = KEEP_RUNS) -> None:
        """Take over a run that is not known yet, and forget what was not seen for `KEEP_DAYS`."""
        self.runs[run] = day
        for _, test, seconds, skipped in found:
            expected, recent = _followed(self.tests.get(test, (0.0, 0, ()))[2], seconds, skipped, keep_runs)
            self.tests[test] = (expected, day, recent)
        self.runs = dict(list(_fresh(self.runs, day))[-MOST_NAMES:])
        self.tests = {test: known for test, known in self.tests.items() if day - known[1] <= KEEP_DAYS}
        if len(self.tests) > MOST_TESTS:
            self.tests = dict(sorted(self.tests.items(), key=lambda item: -item[1][1])[:MOST_TESTS])

    def of_suite(self, suite: str) -> dict[str, float]:
        """Seconds by test id."""
        beginning = f"{suite}::"
        return {test: known[0] for test, known in self.tests.items() if test.startswith(beginning)}


def _followed(recent: Sequence[float], seconds: float, skipped: bool, keep_runs: int) -> tuple[float, Sequence[float]]:
    """A test that was skipped will most likely be skipped again; what it takes otherwise is kept beside."""
    seconds = float(f"{seconds:.4g}")
    if skipped:
        return seconds, recent
    values = [seconds, *recent][:keep_runs]
    return decayed_median(values), values


def _fresh(runs: dict[str, int], day: int) -> Iterator[tuple[str, int]]:
    return ((name, learned) for name, learned in runs.items() if day - learned <= KEEP_DAYS)


def to_bytes(durations: Durations) -> bytes:
    """Compressed JSON: `{"format": 1, "runs": {name: day}, "tests": {id: [seconds, day, [seconds, …]]}}`."""
    told = {"format": FORMAT, "runs": durations.runs, "tests": dict(sorted(durations.tests.items()))}
    return zlib.compress(json.dumps(told, separators=(",", ":")).encode("utf-8", "surrogatepass"))


def from_bytes(data: bytes) -> Durations:
    """Read them. Raises `StoreDamaged`."""
    try:
        unpacking = zlib.decompressobj()
        text = unpacking.decompress(data, MOST_BYTES)
        if not unpacking.eof:
            raise ValueError("it is cut, or too large")
        told = json.loads(text)
        if told["format"] != FORMAT:
            raise ValueError(f"its format is {told['format']!r}")
        return Durations(
            {str(name): int(day) for name, day in told["runs"].items()},
            {str(test): _known(*known) for test, known in told["tests"].items()},
        )
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError, zlib.error) as error:
        raise StoreDamaged(f"a history in the store is damaged: {type(error).__name__}: {error}") from error


def _known(seconds: Any, day: Any, recent: Any) -> Known:
    values = [float(value) for value in recent[:KEEP_RUNS]]
    if not all(0 <= value < math.inf for value in (float(seconds), *values)):
        raise ValueError("a duration is none")
    return float(seconds), int(day), values
