"""One bad result in full, as text for a terminal or a log; shared by the live and the plain console.

Knows neither streams nor colours. Everything of the test's is made inert here.
"""

from __future__ import annotations

from collections.abc import Callable

from pipeline.model.verdicts import Result, Verdict
from pipeline.report.inert import inert, inert_line
from pipeline.report.phrases import duration

Reproduce = Callable[[str], str]
"""The command line that runs a test by hand without anything of ours, from its id; empty when there is none."""

WIDTH = 80


def headline(result: Result, *, worker: str = "", attempt: int = 1) -> str:
    """One line: verdict, test, how long, where, in which try."""
    facts = [duration(result.seconds)]
    if worker:
        facts.append(f"on {worker}")
    if result.tries > 1:
        facts.append(f"try {result.tries}")
    if attempt > 1:
        facts.append(f"attempt {attempt}")
    return f"{result.verdict.value.upper()} {inert_line(result.test)} ({', '.join(facts)})"


def failure_text(result: Result, reproduce: Reproduce, *, worker: str = "", attempt: int = 1) -> str:
    """The whole failure: headline, what the framework says, captured output, the line that reproduces it."""
    parts = [headline(result, worker=worker, attempt=attempt)]
    details = [phase.details for phase in result.phases if phase.details and phase.outcome != "skipped"]
    parts += [inert(each).rstrip("\n") for each in details]
    if not details and result.message:
        parts.append(inert(result.message))
    for title, text in result.sections:
        if text.strip():
            parts += [f" {inert_line(title)} ".center(WIDTH, "-"), inert(text).rstrip("\n")]
    if len(result.earlier) > 0:
        parts.append(f"failed before, {len(result.earlier)} times: {inert_line(result.earlier[-1].message)}")
    line = reproduce(result.test)
    if line:
        parts.append(f"reproduce: {inert_line(line)}")
    return "\n".join(parts)


def is_worth_showing(result: Result) -> bool:
    """Whether a person must see this result when it comes in: bad ones, and tests given up as lost."""
    return result.verdict.is_bad or result.verdict is Verdict.LOST
