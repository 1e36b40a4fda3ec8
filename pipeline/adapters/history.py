"""`ports.History` in one SQLite file under the state directory: how long tests took in recent valid runs, by branch.

Several agents may read and learn at once. It must not know how estimates of unknown tests are made, nor what a plan is.
"""

from __future__ import annotations

import os
import sqlite3
import time
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager

from pipeline.adapters.history_file import connect
from pipeline.errors import EngineError
from pipeline.logic.decaying import decayed_median
from pipeline.logic.durations import KEEP_DAYS, KEEP_RUNS, Sample, is_valid, samples
from pipeline.model.runs import MergedRun

_PUT = "INSERT OR REPLACE INTO durations (branch, test, suite, seconds, recent, seen) VALUES (?, ?, ?, ?, ?, ?)"


class SqliteHistory:
    """Durations in the file `path`, made when first something is learned.

    The newest `keep_runs` durations of each test on each branch count; what was not seen for `keep_days` is dropped.
    Learning may raise `EngineError` (read-only, full disk): a caller reports that and goes on.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, keep_runs: int = KEEP_RUNS, keep_days: float = KEEP_DAYS
    ) -> None:
        self._path = os.fspath(path)
        self._keep_runs = keep_runs
        self._keep_seconds = keep_days * 86_400

    def estimates(self, suite: str, branches: Sequence[str]) -> dict[str, float]:
        """Seconds by test id; the first branch that knows a test decides. Empty when there is nothing to read."""
        known: dict[str, float] = {}
        if not os.path.exists(self._path):
            return known
        try:
            with closing(connect(self._path)) as base:
                for branch in reversed(branches):
                    known.update(
                        base.execute(
                            "SELECT test, seconds FROM durations WHERE branch = ? AND suite = ?", (branch, suite)
                        )
                    )
        except sqlite3.Error:
            return known  # A plan with worse estimates is better than none.
        return known

    def learn(self, run: MergedRun, *, branch: str) -> None:
        """Take over a valid run's durations, once however often it is told; others are left out."""
        if is_valid(run):
            self._take(run.run, list(samples(run)), branch)

    def take_over(self, suite: str, seconds: Mapping[str, float], *, branch: str) -> None:
        """Take over durations by test id from elsewhere, such as `.test_durations`, as if a run had given them."""
        self._take(None, [(suite, test, value, False) for test, value in seconds.items()], branch)

    def prune(self, now: float | None = None) -> None:
        """Drop what has not been seen for `keep_days` before `now`, seconds since the epoch."""
        oldest = (time.time() if now is None else now) - self._keep_seconds
        with self._writing() as base:
            base.execute("DELETE FROM durations WHERE seen < ?", (oldest,))
            base.execute("DELETE FROM runs WHERE learned < ?", (oldest,))

    def _take(self, run: str | None, found: list[Sample], branch: str) -> None:
        now = time.time()
        with self._writing() as base:
            if run is not None and not _is_new(base, run, branch, now):
                return
            recent = dict(base.execute("SELECT test, recent FROM durations WHERE branch = ?", (branch,)))
            base.executemany(_PUT, self._rows(found, recent, branch, now))
        self.prune(now)

    def _rows(
        self, found: Iterable[Sample], recent: Mapping[str, bytes], branch: str, now: float
    ) -> Iterator[tuple[str, str, str, float, bytes, float]]:
        for suite, test, seconds, skipped in sorted(found):
            values = array("f", recent.get(test, b""))
            if not skipped:
                values.insert(0, seconds)
                del values[self._keep_runs :]
            # A test that was skipped will most likely be skipped again; what it takes otherwise is kept beside.
            yield branch, test, suite, seconds if skipped else decayed_median(values), values.tobytes(), now

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        try:
            os.makedirs(os.path.dirname(self._path) or ".", exist_ok=True)
            with closing(connect(self._path, repair=True)) as base, base:
                base.execute("BEGIN IMMEDIATE")
                yield base
        except (sqlite3.Error, OSError) as error:
            raise EngineError(
                f"the history {self._path!r} cannot be written: {error}",
                hint="the run itself is not touched; make the file writable, or remove it to begin anew",
            ) from error


def _is_new(base: sqlite3.Connection, run: str, branch: str, now: float) -> bool:
    return base.execute("INSERT OR IGNORE INTO runs VALUES (?, ?, ?)", (run, branch, now)).rowcount == 1
