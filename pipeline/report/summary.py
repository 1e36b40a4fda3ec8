"""The text at the end of a run, and again when nothing had to run: what a person must know of a merged run.

Knows neither streams nor colours; failures were shown in full when they happened, so here they are a list with the
line that reproduces each.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import PurePath
from typing import Final

from attrs import frozen

from pipeline.errors import typed
from pipeline.model.runs import MergedRun, Outcome
from pipeline.model.verdicts import Result, Verdict
from pipeline.report.failure import Reproduce
from pipeline.report.inert import inert, inert_line
from pipeline.report.phrases import age, count, duration, number

LISTED: Final = 100
"""The most lines of one kind; the reports hold all."""
UNREMARKABLE: Final = "complete"
"""The reason of a run that came to its end."""
SLOW_SECONDS: Final = 0.1
"""Faster tests are not worth a line among the slowest."""


@frozen(kw_only=True)
class Shown:
    """What the summary needs beside the run."""

    reports: tuple[str, ...] = ()
    report_errors: tuple[str, ...] = ()
    expected_seconds: float = 0.0
    slowest: int = 10
    log_of: Callable[[str], str] = lambda test: ""
    """The file that holds what a test printed; empty: none."""
    has_log: Callable[[str], bool] = lambda log: True
    """Whether anything is there of a worker's log, by its name or pattern."""
    given_up: tuple[str, ...] = ()
    """Machines that were to take part and were set aside, each with the reason."""


def summary(run: MergedRun, reproduce: Reproduce, shown: Shown) -> str:
    """The whole summary. Its last line is the answer: good or not, and the exit code with its reason."""
    special = [each.result for each in run.outcomes if each.result.verdict is not Verdict.PASSED or each.result.earlier]
    bad = [each for each in special if not each.verdict.is_good and each.verdict is not Verdict.NOT_RUN]
    not_run = Counter(each.message for each in special if each.verdict is Verdict.NOT_RUN)
    flaky = [each for each in special if each.is_flaky]
    lines = [
        "",
        *_section("errors", [inert(each) for each in run.errors]),
        *_section("without a verdict", [_missing_line(*each) for each in run.missing]),
        *_section("not good", list(_bad_lines(bad, reproduce, shown.log_of))),
        *_section("not run", [_not_run_line(*each) for each in not_run.most_common()]),
        *_section("flaky", [_flaky_line(each) for each in flaky]),
        *_section("slowest", [_slow_line(each) for each in slowest(run, shown.slowest)]),
        *_section("lost workers", list(_loss_lines(run))),
        *_section("hosts set aside", [inert(each) for each in shown.given_up]),
        *_section("workers taken away", list(_taken_lines(run))),
        *_section("reports", [*map(inert_line, shown.reports), *map(inert, shown.report_errors)]),
        *_section("logs", [inert_line(each) for each in _log_folders(run, shown.has_log)]),
        *_warnings(run),
        verdict_line(run, shown.expected_seconds),
    ]
    return "\n".join(lines)


def up_to_date(run: MergedRun, *, age_seconds: float) -> str:
    """The one line for a run that need not be repeated."""
    good = sum(run.counts.get(verdict.value, 0) for verdict in Verdict if verdict.is_good)
    rest = f", {good - run.counts.get('passed', 0):,} of them skipped or expected to fail"
    passed_only = good == run.counts.get("passed", 0)
    return f"up to date: {count(good, 'test')} passed {age(age_seconds)}{'' if passed_only else rest}; {typed('`doit -a`')} runs regardless"


def verdict_line(run: MergedRun, expected_seconds: float = 0.0) -> str:
    """The last line: counts by verdict, time against the expected one, exit code and reason."""
    counts = [f"{number(run.counts[each.value])} {each.value}" for each in Verdict if run.counts.get(each.value)]
    if run.missing:
        counts.append(f"{number(len(run.missing))} without a verdict")
    time = duration(run.seconds)
    if expected_seconds:
        time += f" ({duration(expected_seconds)} expected)"
    line = f"{', '.join(counts) or 'no tests'} in {time}"
    if run.exit_code == 0:
        return line
    why = f": {inert_line(run.reason)}" if run.reason and run.reason != UNREMARKABLE else ""
    return f"{line}; exit {run.exit_code}{why}"


def slowest(run: MergedRun, limit: int) -> list[Outcome]:
    """The tests that took longest, the longest first."""
    slow = (each for each in run.outcomes if each.result.seconds >= SLOW_SECONDS)
    return heapq.nlargest(limit, slow, key=lambda each: each.result.seconds)


def _section(title: str, lines: list[str]) -> list[str]:
    """A title and its indented lines; nothing when there are none."""
    if not lines:
        return []
    more = [f"  … and {len(lines) - LISTED:,} more, see the reports"] if len(lines) > LISTED else []
    return [f"{title}:", *("  " + each.replace("\n", "\n    ") for each in lines[:LISTED]), *more, ""]


def _bad_lines(bad: list[Result], reproduce: Reproduce, log_of: Callable[[str], str]) -> Iterator[str]:
    for position, result in enumerate(bad):
        if position >= LISTED:
            yield ""
            continue
        message = f" - {inert_line(result.message)[:200]}" if result.message else ""
        line = reproduce(result.test)
        hand = f"\n{inert_line(line)}" if line else ""
        log = log_of(result.test)
        said = f"\nlog: {inert_line(log)}" if log else ""
        yield f"{result.verdict.value.upper()} {inert_line(result.test)}{message}{hand}{said}"


def _not_run_line(message: str, number_of_tests: int) -> str:
    """Tests that were not run are counted by reason: with fail-fast there may be thousands."""
    return f"{count(number_of_tests, 'test')}: {inert_line(message) or 'the run ended before'}"


def _taken_lines(run: MergedRun) -> Iterator[str]:
    """By cause, with what had to be repeated."""
    taken = [each for each in run.workers if each.taken]
    for cause, number_of in Counter(each.taken for each in taken).most_common():
        lost = sum(each.lost_seconds for each in taken if each.taken == cause)
        yield f"{number(number_of)} {inert_line(cause)}, {duration(lost)} of work repeated"


def _log_folders(run: MergedRun, has_log: Callable[[str], bool]) -> list[str]:
    folders = Counter(str(PurePath(each.log).parent) for each in run.workers if each.log and has_log(each.log))
    return [f"{folder} ({count(logs, 'file')})" for folder, logs in sorted(folders.items())]


def _missing_line(test: str, worker: str) -> str:
    return f"{inert_line(test)} ({f'last seen on {inert_line(worker)}' if worker else 'never begun'})"


def _flaky_line(result: Result) -> str:
    first = result.earlier[0]
    return f"{inert_line(result.test)} (passed on try {result.tries}; first: {inert_line(first.message)[:200]})"


def _slow_line(outcome: Outcome) -> str:
    return f"{duration(outcome.result.seconds):>12}  {inert_line(outcome.result.test)}"


def _loss_lines(run: MergedRun) -> Iterator[str]:
    for loss in run.losses:
        test = f" while running {inert_line(loss.test)}" if loss.test else ""
        detail = f" ({inert_line(loss.detail)})" if loss.detail else ""
        yield f"{inert_line(loss.worker)}: {loss.cause}{test}{detail}, {duration(loss.repeated_seconds)} repeated"
    if len(run.losses) > 1:
        cost = sum(each.repeated_seconds for each in run.losses)
        yield f"{count(len(run.losses), 'loss')} cost {duration(cost)} of repeated work"


def _warnings(run: MergedRun) -> Iterator[str]:
    if run.mixed:
        yield "warning: sources changed while the tests ran; this result is never taken as up to date"
    if run.late:
        yield f"note: {count(run.late, 'record')} came after the end of its worker and did not count"
