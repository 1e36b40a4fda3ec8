"""Results and merged runs for the tests of reports, made in one line each."""

from __future__ import annotations

from collections import Counter
from typing import Any

from pipeline.model.runs import Loss, MergedRun, Outcome, WorkerSpan
from pipeline.model.verdicts import Phase, Result, Verdict

HOSTILE = "</script><script>document.title='hacked'</script>\x1b[31m\x1b]0;hacked\x07\x00[red]&\udc80\u202e"


def result(test: str = "unit::tests/test_a.py::test_x", verdict: Verdict = Verdict.PASSED, **more: Any) -> Result:
    """A result that took a quarter of a second."""
    return Result(test=test, verdict=verdict, **{"seconds": 0.25, **more})


def failed(test: str = "unit::tests/test_a.py::test_x", **more: Any) -> Result:
    """A failed result as the pytest harness reports it."""
    phases = (
        Phase(when="setup", outcome="passed", seconds=0.0),
        Phase(
            when="call", outcome="failed", seconds=0.25, details="def test_x():\n>   assert 1 == 2\nE   assert 1 == 2"
        ),
        Phase(when="teardown", outcome="passed", seconds=0.0),
    )
    return result(
        test,
        Verdict.FAILED,
        **{"phases": phases, "message": "assert 1 == 2", "exception": "AssertionError", **more},
    )


def merged(*results: Result, **more: Any) -> MergedRun:
    """A run of these results, one after the other on the worker `w0`."""
    start, outcomes = 0.0, []
    for each in results:
        outcomes.append(Outcome(result=each, worker="w0", start=start))
        start += each.seconds
    values: dict[str, Any] = {
        "run": "run-1",
        "plan": "0123456789abcdef",
        "suites": tuple(dict.fromkeys(each.test.partition("::")[0] for each in results)),
        "outcomes": tuple(outcomes),
        "workers": (WorkerSpan(worker="w0", slot=0, place="host pid 1", started=0.0, ended=start, log="logs/w0.log"),),
        "exit_code": 0 if all(each.verdict.is_good for each in results) else 1,
        "started": 1_790_000_000.0,
        "seconds": start,
        "counts": dict(Counter(each.verdict.value for each in results)),
    }
    return MergedRun(**{**values, **more})


def troubled() -> MergedRun:
    """A run with everything that can go wrong, and every text hostile."""
    every = [
        result(f"unit::tests/test_v.py::test_{each.value}[{HOSTILE}]", each, message=HOSTILE, exception="E")
        for each in Verdict
    ]
    shown = failed(
        f"unit::tests/test_h.py::test_{HOSTILE}",
        message=HOSTILE,
        sections=(("Captured stdout call", HOSTILE), ("Captured stderr call", HOSTILE)),
        properties=((HOSTILE, HOSTILE), ("number", 3)),
        phases=(Phase(when="call", outcome="failed", seconds=0.1, details=HOSTILE),),
    )
    flaky = result("unit::tests/test_f.py::test_f", tries=2, earlier=(failed("unit::tests/test_f.py::test_f"),))
    return merged(
        *every,
        shown,
        flaky,
        missing=((f"unit::{HOSTILE}", "w0"), ("unit::tests/test_m.py::test_m", "")),
        errors=(f"collection of {HOSTILE} failed",),
        losses=(Loss(worker="w0", cause="crashed", test=f"unit::{HOSTILE}", repeated_seconds=1.5, detail=HOSTILE),),
        exit_code=2,
        reason=HOSTILE,
        mixed=True,
        late=3,
    )


def plain_line(test: str) -> str:
    """What reproduces a test by hand."""
    return f"pytest {test.partition('::')[2]}"
