"""What can be said of a test: the closed list of verdicts, and the result that carries one.

Knows nothing of frameworks: a framework's harness translates its own outcomes into these.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from attrs import field, frozen


class Verdict(StrEnum):
    """The closed list. Every planned test of a green run has exactly one, and it is good."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    """Went wrong outside the test's own phase: set-up, tear-down, collection."""
    SKIPPED = "skipped"
    XFAILED = "xfailed"
    XPASSED = "xpassed"
    """Passed although expected to fail, and that is allowed (a strict xpass is `failed`, as in pytest)."""
    TIMED_OUT = "timed-out"
    CRASHED = "crashed"
    """Killed its harness twice, with proof."""
    LOST = "lost"
    """Its worker was lost too often, for reasons unknown."""
    NOT_RUN = "not-run"
    """Fail-fast or a signal ended the run before this test."""

    @property
    def is_good(self) -> bool:
        """Whether a run with only such verdicts is green."""
        return self in GOOD

    @property
    def is_bad(self) -> bool:
        """Whether this verdict says that the test (not the run) is at fault."""
        return self in BAD


GOOD = frozenset({Verdict.PASSED, Verdict.SKIPPED, Verdict.XFAILED, Verdict.XPASSED})
BAD = frozenset({Verdict.FAILED, Verdict.ERROR, Verdict.TIMED_OUT, Verdict.CRASHED})


@frozen(kw_only=True)
class Phase:
    """One phase of a test as its framework reports it."""

    when: str
    """`setup`, `call` or `teardown`; a framework without phases uses `call` alone."""
    outcome: str
    """`passed`, `failed` or `skipped`, before any reading as xfail."""
    seconds: float
    details: str = ""
    """The framework's whole text for a failure, as a person would read it in a terminal, without colours."""


@frozen(kw_only=True)
class Result:
    """The final record of one test: its verdict and what is worth showing of it.

    All texts come from tests and are hostile: readers must escape them.
    """

    test: str
    """The test's id, `suite::native id`."""
    verdict: Verdict
    started: float = 0.0
    """Seconds from the worker's birth to the test's start, on the worker's own monotonic clock."""
    seconds: float = 0.0
    """Duration of all phases of the try that decided."""
    phases: tuple[Phase, ...] = ()
    message: str = ""
    """One line: the assertion or exception as in pytest's short summary; the reason of a skip or an xfail."""
    exception: str = ""
    """Qualified type name of the exception that decided, or empty."""
    sections: tuple[tuple[str, str], ...] = ()
    """Captured output: (title, text), for instance ("Captured stdout call", "…"); each capped by the harness."""
    properties: tuple[tuple[str, Any], ...] = ()
    """`record_property` pairs; values are plain JSON."""
    tries: int = 1
    """How often the test ran in this attempt (retries are counted, losses are not)."""
    earlier: tuple[Result, ...] = field(default=(), repr=False)
    """The failed tries before a deciding one; a passed result with earlier ones is flaky."""

    @property
    def is_flaky(self) -> bool:
        """Whether the test passed only after a failed try."""
        return bool(self.earlier) and self.verdict.is_good
