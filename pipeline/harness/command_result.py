"""From how a command ended to the result that the supervisor journals.

The dictionaries are `model.verdicts.Result` without `test`; fields at their defaults are left out.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Tuple

from .command_place import Ended
from .pytest_text import DETAILS_LIMIT, capped, one_line, plain

RESULTS = "results"
"""The property that holds the JSON objects which a test wrote as its results."""
TITLE = "Captured stdout call"
WHOLE = "All of that output is in the file"


def called(ended: Ended, output: str, shown: str, terms: Mapping[str, Any], started: float) -> Dict[str, Any]:
    """The result of one try by its exit status; `shown` is the command as a person would type it."""
    verdict = _verdict(ended, terms)
    outcome = verdict if verdict in ("passed", "skipped") else "failed"
    seconds = round(ended.seconds, 6)
    phase: Dict[str, Any] = {"when": "call", "outcome": outcome, "seconds": seconds}
    result: Dict[str, Any] = {"verdict": verdict, "started": started, "seconds": seconds, "phases": [phase]}
    if verdict != "passed":
        last = _last_line(output)
        result["message"] = (last or ended.text) if verdict == "skipped" else _joined(ended.text, last)
    if outcome == "failed":
        phase["details"] = capped("$ %s\n%s" % (shown, ended.text), DETAILS_LIMIT)
    if output:
        result["sections"] = [[TITLE, output]]
    return result


def not_set_up(message: str, details: str, seconds: float, started: float) -> Dict[str, Any]:
    """The result of a test whose set-up has failed."""
    phase = {"when": "setup", "outcome": "failed", "seconds": round(seconds, 6)}
    phase["details"] = capped(details, DETAILS_LIMIT)
    return {"verdict": "error", "started": started, "message": one_line(message), "phases": [phase]}


def bare(verdict: str, message: str, started: float = 0.0) -> Dict[str, Any]:
    """A result without a command."""
    return {"verdict": verdict, "started": started, "message": one_line(message)}


def add_phase(result: Dict[str, Any], when: str, seconds: float) -> None:
    """Tell of a set-up or tear-down that went well; they are no part of the test's own time."""
    phase = {"when": when, "outcome": "passed", "seconds": round(seconds, 6)}
    phases = result.setdefault("phases", [])
    phases.insert(0 if when == "setup" else len(phases), phase)


def spoil(result: Dict[str, Any], when: str, message: str, details: str = "", seconds: float = 0.0) -> None:
    """An error outside the command itself: what was good is no longer so."""
    phase = {"when": when, "outcome": "failed", "seconds": round(seconds, 6)}
    phase["details"] = capped(details or message, DETAILS_LIMIT)
    result.setdefault("phases", []).append(phase)
    if result["verdict"] in ("passed", "skipped"):
        result["verdict"] = "error"
        result["message"] = one_line(message)


def add_written(result: Dict[str, Any], metrics: List[Tuple[str, Any]], results: List[Any]) -> None:
    """Put what the test has written where reports find it."""
    pairs = [[plain(name), plain(value) if isinstance(value, str) else value] for name, value in metrics]
    if results:
        pairs.append([RESULTS, results])
    if pairs:
        result["properties"] = pairs


def _verdict(ended: Ended, terms: Mapping[str, Any]) -> str:
    if ended.is_late:
        return "timed-out"
    if ended.status is None:
        return "error"
    if ended.status in terms["good_codes"]:
        return "passed"
    return "skipped" if ended.status in terms["skip_codes"] else "failed"


def _last_line(output: str) -> str:
    return one_line(next((line for line in reversed(output.splitlines()) if line.strip()), ""))


def _joined(text: str, last: Optional[str]) -> str:
    return one_line("%s: %s" % (text, last) if last else text)
