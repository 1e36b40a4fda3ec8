"""From pytest's reports of one test to the result the supervisor journals: the same verdicts as plain pytest shows.

The dictionaries are `model.verdicts.Result` without `test`; fields at their defaults are left out.
"""

from __future__ import annotations

from typing import Any

from .pytest_text import DETAILS_LIMIT, capped, one_line, plain, plain_value


def is_subtest(report: Any) -> bool:
    """Whether this is the report of a part of a test (pytest 9, or the plug-in pytest-subtests)."""
    return type(report).__name__ in ("SubtestReport", "SubTestReport")


def result_of(reports: list[Any], started: float) -> dict[str, Any]:
    """The result of one try, from all reports of it."""
    result = _passed(reports, started) or _judged(reports, started)
    last = reports[-1]
    if last.sections:
        result["sections"] = [[title, capped(text)] for title, text in last.sections]
    if last.user_properties:
        result["properties"] = [[plain(str(pair[0])), plain_value(pair[1])] for pair in last.user_properties]
    return result


def _passed(reports: list[Any], started: float) -> dict[str, Any] | None:
    """The result of what nearly every test is, or None."""
    if len(reports) != 3:
        return None
    setup, call, teardown = reports
    if not setup.outcome == call.outcome == teardown.outcome == "passed" or "wasxfail" in call.__dict__:
        return None
    return {
        "verdict": "passed",
        "started": round(started, 6),
        "seconds": round(setup.duration + call.duration + teardown.duration, 6),
        "phases": [
            {"when": "setup", "outcome": "passed", "seconds": round(setup.duration, 6)},
            {"when": "call", "outcome": "passed", "seconds": round(call.duration, 6)},
            {"when": "teardown", "outcome": "passed", "seconds": round(teardown.duration, 6)},
        ],
    }


def _judged(reports: list[Any], started: float) -> dict[str, Any]:
    decided = _decisive(reports)
    result: dict[str, Any] = {
        "verdict": "passed" if decided is None else _verdict(decided),
        "started": round(started, 6),
        "seconds": round(sum(report.duration for report in reports if not is_subtest(report)), 6),
        "phases": [_phase(report) for report in reports if not is_subtest(report) or report.outcome == "failed"],
    }
    if decided is not None:
        _explain(result, decided)
    return result


def split_reruns(reports: list[Any]) -> list[list[Any]]:
    """The tries that pytest-rerunfailures made within one run of a test, the deciding one last."""
    if not any(report.outcome == "rerun" for report in reports):
        return [reports]
    tries: list[list[Any]] = []
    for report in reports:
        if report.when == "setup" or not tries:
            tries.append([])
        tries[-1].append(report)
    return tries


def bare_result(verdict: str, message: str, started: float = 0.0) -> dict[str, Any]:
    """A result for a test of which pytest says nothing."""
    return {"verdict": verdict, "started": round(started, 6), "message": message}


def _rank(report: Any) -> int:
    if report.outcome in ("failed", "rerun"):
        return 0 if report.when == "call" else 1
    if hasattr(report, "wasxfail"):
        return 2 if report.outcome == "skipped" else 3
    return 4 if report.outcome == "skipped" else 5


def _decisive(reports: list[Any]) -> Any:
    candidates = [report for report in reports if not is_subtest(report) or report.outcome == "failed"]
    if not candidates:
        return None
    best = min(candidates, key=_rank)
    return None if _rank(best) == 5 else best


def _verdict(report: Any) -> str:
    return ("failed", "error", "xfailed", "xpassed", "skipped")[_rank(report)]


def _phase(report: Any) -> dict[str, Any]:
    outcome = "failed" if report.outcome == "rerun" else report.outcome
    phase = {"when": report.when, "outcome": outcome, "seconds": round(report.duration, 6)}
    if outcome == "failed":
        phase["details"] = capped(report.longreprtext, DETAILS_LIMIT)
    return phase


def _explain(result: dict[str, Any], report: Any) -> None:
    result["message"] = _message(report)
    if report.outcome in ("failed", "rerun"):
        result["exception"] = getattr(report, "fleet_exception", "")


def _message(report: Any) -> str:
    if hasattr(report, "wasxfail"):
        return one_line(_without(str(report.wasxfail), "reason: "))
    longrepr = report.longrepr
    if report.outcome == "skipped" and isinstance(longrepr, tuple):
        return one_line(_without(str(longrepr[2]), "Skipped: "))
    crash = getattr(longrepr, "reprcrash", None)
    if crash is not None:
        return one_line(str(crash.message))
    lines = [line for line in report.longreprtext.splitlines() if line.strip()]
    return one_line(lines[-1]) if lines else ""


def _without(text: str, prefix: str) -> str:
    length = len(prefix) if text.startswith(prefix) else 0
    return text[length:]
