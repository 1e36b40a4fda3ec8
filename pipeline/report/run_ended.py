"""What a hook is told when a run has ended: one JSON object, as docs/schemas/run-ended.json describes it.

Reads events like any reporter. Texts of tests are made inert, and there are few of them. No secrets: only what reports hold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from attrs import frozen

from pipeline.model.events import Event, RunClosed, RunStarted, TestFinished
from pipeline.model.runs import MergedRun
from pipeline.model.verdicts import Result
from pipeline.report.inert import inert_line

SCHEMA: Final = "https://doit-fleet.dev/schemas/run-ended/1"
LISTED: Final = 50
LONGEST_MESSAGE: Final = 500
OUTCOMES: Final = {0: "passed", 1: "failed", 2: "untrustworthy", 3: "refused"}
STOPPED: Final = "stopped"


@frozen(kw_only=True)
class About:
    """What events do not tell."""

    project: str
    host: str
    branch: str = ""
    profile: str = ""
    reports: Sequence[str] = ()


class RunEnded:
    """Remembers what is to be told."""

    name = "hooks"

    def __init__(self, log_of: Callable[[str], str]) -> None:
        self._log_of = log_of
        self._started: RunStarted | None = None
        self._closed: RunClosed | None = None
        self._merged: MergedRun | None = None
        self._last = 0.0
        self._counts: dict[str, int] = {}
        self._bad: dict[str, Result] = {}

    @property
    def has_begun(self) -> bool:
        """Whether a run began or went on."""
        return self._started is not None

    def event(self, event: Event) -> None:
        """Count an event."""
        if type(event) is TestFinished:
            verdict = event.result.verdict
            self._counts[verdict.value] = self._counts.get(verdict.value, 0) + 1
            if not verdict.is_good:
                self._bad[event.result.test] = event.result
        elif isinstance(event, RunStarted):
            self._started = event
        elif isinstance(event, RunClosed):
            self._closed = event
        self._last = max(self._last, event.time)

    def finish(self, run: MergedRun) -> Sequence[str]:
        """Take the merged run; writes nothing."""
        self._merged = run
        self._bad = {one.result.test: one.result for one in run.outcomes if not one.result.verdict.is_good}
        return ()

    def payload(self, exit_code: int, about: About) -> dict[str, Any]:
        """The object. Only where a run has begun."""
        began, closed, merged = self._started, self._closed, self._merged
        assert began is not None
        missing = len(merged.missing) if merged is not None else len(closed.missing) if closed is not None else 0
        failures = list(self._bad.values())
        return {
            "schema": SCHEMA,
            "project": about.project,
            "branch": about.branch,
            "profile": about.profile,
            "host": about.host,
            "run": began.run,
            "plan": began.plan,
            "exit_code": exit_code,
            "outcome": OUTCOMES.get(exit_code, STOPPED if exit_code > 128 else "untrustworthy"),
            "reason": inert_line(merged.reason if merged is not None else closed.reason if closed is not None else ""),
            "open": merged is None and (closed is None or closed.open),
            "resumed": began.done_before > 0,
            "done_before": began.done_before,
            "tests": began.tests,
            "counts": dict(self._known_counts()),
            "missing": missing,
            "failures": [self._failure(result) for result in failures[:LISTED]],
            "failures_left_out": max(0, len(failures) - LISTED),
            "started": began.time,
            "seconds": round(max(0.0, self._last - began.time), 3),
            "store": began.store,
            "reports": list(about.reports),
        }

    def _known_counts(self) -> Mapping[str, int]:
        if self._merged is not None:
            return self._merged.counts
        return self._closed.counts if self._closed is not None else self._counts

    def _failure(self, result: Result) -> dict[str, str]:
        return {
            "test": inert_line(result.test),
            "verdict": result.verdict.value,
            "message": inert_line(result.message)[:LONGEST_MESSAGE],
            "log": self._log_of(result.test),
        }
