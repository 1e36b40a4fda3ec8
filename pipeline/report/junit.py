"""`junit.xml`: one test suite element per suite, test cases named as pytest names them, read by every CI server.

Written as a stream, so that its memory does not grow with the tests; `junit_case` makes each test case.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from attrs import define

from pipeline.model.runs import MergedRun, Outcome, WorkerSpan
from pipeline.model.verdicts import Verdict
from pipeline.report.addresses import Natives, suite_of
from pipeline.report.junit_case import ERRORS, FAILURES, SKIPS, CaseWriter
from pipeline.report.writing import whole_file
from pipeline.report.xml_text import attribute, element

OWN_SUITE = "doit-fleet"
"""Holds what is wrong with the run itself, so that a reader of the file alone sees red."""


class JunitReport:
    """A reporter that writes the file when the run is merged."""

    name = "junit"

    def __init__(self, directory: Path) -> None:
        self.path = directory / "junit.xml"

    def event(self, event: object) -> None:
        """Events are of no interest here."""

    def finish(self, run: MergedRun) -> Sequence[str]:
        """Write the file. Raises `EngineError`."""
        with whole_file(self.path) as file:
            write_junit(run, file)
        return (str(self.path),)


@define
class _Suite:
    """What the head of a suite element says, and its members."""

    outcomes: list[Outcome]
    missing: list[tuple[str, str]]
    failures: int = 0
    errors: int = 0
    skipped: int = 0
    seconds: float = 0.0


def write_junit(run: MergedRun, file: TextIO) -> None:
    """Write the document."""
    suites = _by_suite(run)
    spans = run.places()
    case = CaseWriter(Natives(run.outcomes), spans)
    when = datetime.fromtimestamp(run.started, UTC).isoformat(timespec="seconds")
    file.write('<?xml version="1.0" encoding="utf-8"?>\n')
    file.write(f"<testsuites{_totals(suites, run)}>\n")
    for name, suite in suites.items():
        file.write(
            f'<testsuite name="{attribute(name)}"{_head(suite)} timestamp="{when}" hostname="{_host(suite, spans)}">\n'
        )
        file.writelines(case.outcomes(suite.outcomes))
        file.writelines(case.missing(test, worker) for test, worker in suite.missing)
        file.write("</testsuite>\n")
    if run.errors:
        file.writelines(_run_errors(run.errors))
    file.write("</testsuites>\n")


def _host(suite: _Suite, spans: Mapping[str, WorkerSpan]) -> str:
    """The one host of all its tests; empty where there are several, which each test case says for itself."""
    workers = {each.worker for each in suite.outcomes}
    hosts = {spans[each].host if each in spans else "" for each in workers}
    return attribute(hosts.pop()) if len(hosts) == 1 else ""


def _by_suite(run: MergedRun) -> dict[str, _Suite]:
    """Each suite's members and counts, in the run's order."""
    suites = {name: _Suite([], []) for name in run.suites}
    prefix, suite = "\0", _Suite([], [])
    for outcome in run.outcomes:
        result = outcome.result
        if not result.test.startswith(prefix):
            name = suite_of(result.test)
            prefix, suite = f"{name}::", suites.setdefault(name, _Suite([], []))
        suite.outcomes.append(outcome)
        suite.seconds += result.seconds
        if result.verdict is not Verdict.PASSED:
            _count(suite, result.verdict)
    for test, worker in run.missing:
        suite = suites.setdefault(suite_of(test), _Suite([], []))
        suite.missing.append((test, worker))
        suite.errors += 1
    return suites


def _count(suite: _Suite, verdict: Verdict) -> None:
    if verdict in FAILURES:
        suite.failures += 1
    elif verdict in ERRORS:
        suite.errors += 1
    elif verdict in SKIPS:
        suite.skipped += 1


def _head(suite: _Suite) -> str:
    return _counts(len(suite.outcomes) + len(suite.missing), suite.failures, suite.errors, suite.skipped, suite.seconds)


def _totals(suites: dict[str, _Suite], run: MergedRun) -> str:
    every = suites.values()
    own = len(run.errors)
    return _counts(
        sum(len(each.outcomes) + len(each.missing) for each in every) + own,
        sum(each.failures for each in every),
        sum(each.errors for each in every) + own,
        sum(each.skipped for each in every),
        run.seconds,
    )


def _counts(tests: int, failures: int, errors: int, skipped: int, seconds: float) -> str:
    return f' tests="{tests}" failures="{failures}" errors="{errors}" skipped="{skipped}" time="{seconds:.3f}"'


def _run_errors(errors: Sequence[str]) -> Iterator[str]:
    counts = _counts(len(errors), 0, len(errors), 0, 0.0)
    yield f'<testsuite name="{OWN_SUITE}"{counts}>\n'
    for number, text in enumerate(errors, start=1):
        message = attribute(text.split("\n", 1)[0])
        yield f'<testcase classname="{OWN_SUITE}" name="run error {number}" time="0.000">'
        yield f'<error message="{message}">{element(text)}</error></testcase>\n'
    yield "</testsuite>\n"
