"""The facts that the page shows, as JSON safe inside a script element: which rows, which details, what was left out.

Knows nothing of HTML but that `<` must not stand in the data. Large runs are cut to what a browser can hold, those
that matter first, and the page says so.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from json.encoder import encode_basestring_ascii as quoted
from typing import Any, Final

from attrs import define, frozen

from pipeline.model.runs import MergedRun, Outcome
from pipeline.model.verdicts import Result, Verdict
from pipeline.report.addresses import suite_of
from pipeline.report.failure import Reproduce
from pipeline.report.inert import inert
from pipeline.report.phrases import number

MISSING: Final = "missing"
VERDICTS: Final = (*(each.value for each in Verdict), MISSING)
_NUMBERS: Final = {each: position for position, each in enumerate(Verdict)}
_encode: Final = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


@frozen(kw_only=True)
class Limits:
    """What a browser can hold."""

    rows: int = 100_000
    details_bytes: int = 20_000_000


@define
class PageData:
    """The data of one page, ready to be written piece by piece."""

    head: dict[str, Any]
    rows: list[str]
    details: list[str]
    notes: list[str]

    def chunks(self) -> Iterator[str]:
        """The JSON text. `<`, `>` and `&` are written as escapes: nothing in it can end the script element."""
        yield _safe(_encode(self.head)[:-1]) + ',"rows":[\n'
        yield from _joined(self.rows)
        yield '],"details":[\n'
        yield from _joined(self.details)
        yield "]}"


def page_data(
    run: MergedRun, reproduce: Reproduce, limits: Limits, log_of: Callable[[str], str] = lambda test: ""
) -> PageData:
    """Choose the rows and details of a page. `log_of`: the file of what a test printed, relative to the page."""
    builder = _Builder(run, reproduce, limits, log_of)
    for test, worker in run.missing[: limits.rows]:
        builder.add_missing(test, worker)
    matters, others = _split(run.outcomes)
    for outcome in matters[: limits.rows]:
        builder.add(outcome)
    for outcome in others[: max(0, limits.rows - len(builder.rows))]:
        builder.add(outcome)
    return builder.data()


def _split(outcomes: Iterable[Outcome]) -> tuple[list[Outcome], list[Outcome]]:
    """What a person looks for, and what went as it should."""
    matters: list[Outcome] = []
    others: list[Outcome] = []
    for each in outcomes:
        result = each.result
        is_dull = result.verdict is Verdict.PASSED and not result.earlier
        (others if is_dull or (result.verdict.is_good and not result.earlier) else matters).append(each)
    return matters, others


class _Builder:
    """Collects rows and details within their limits."""

    def __init__(self, run: MergedRun, reproduce: Reproduce, limits: Limits, log_of: Callable[[str], str]) -> None:
        self._log_of = log_of
        self.rows: list[str] = []
        self._run, self._reproduce, self._limits = run, reproduce, limits
        self._details: list[str] = []
        self._detail_bytes = 0
        self._left_out = 0
        self._flaky = False
        self._present: set[Verdict] = set()
        self._suites: dict[str, int] = {}
        self._workers = {each.worker: position for position, each in enumerate(run.workers)}
        self._unknown_workers: list[str] = []

    def add(self, outcome: Outcome) -> None:
        """Add an outcome's row, and its details if it is worth some."""
        result = outcome.result
        is_flaky = result.is_flaky
        self._flaky = self._flaky or is_flaky
        self._present.add(result.verdict)
        self.rows.append(
            f"[{self._place(result.test)},{_NUMBERS[result.verdict]},{self._worker(outcome.worker)},"
            f"{outcome.start:.4f},{result.seconds:.4f},{result.tries},{int(is_flaky)},{self._detail(result)}]"
        )

    def add_missing(self, test: str, worker: str) -> None:
        """Add the row of a test without a verdict."""
        self.rows.append(f"[{self._place(test)},{len(Verdict)},{self._worker(worker)},0,0,0,0,-1]")

    def data(self) -> PageData:
        """What was collected, with notes on what was left out."""
        filters = [each.value for each in Verdict if each in self._present]
        if self._run.missing:
            filters.append(MISSING)
        if self._flaky:
            filters.append("flaky")
        head = {
            "verdicts": VERDICTS,
            "bad": [each.value for each in Verdict if not each.is_good and each is not Verdict.NOT_RUN] + [MISSING],
            "filters": filters,
            "suites": list(self._suites),
            "workers": self._lanes(),
            "seconds": self._run.seconds,
            "missing": "Planned, but without a verdict: the run cannot be trusted until it has one.",
            "kept": "No details are kept for tests that went as they should; junit.xml holds what there is.",
        }
        return PageData(head, self.rows, self._details, self._notes())

    def _place(self, test: str) -> str:
        suite = suite_of(test)
        position = self._suites.setdefault(suite, len(self._suites))
        return f"{position},{_safe(quoted(inert(test[len(suite) + 2 :])))}"

    def _worker(self, name: str) -> int:
        if not name:
            return -1
        position = self._workers.get(name)
        if position is None:
            position = self._workers[name] = len(self._workers)
            self._unknown_workers.append(name)
        return position

    def _detail(self, result: Result) -> int:
        """The number of a result's details, -1 when it has none or there is no room."""
        if result.verdict in {Verdict.PASSED, Verdict.XPASSED} and not result.earlier and not result.properties:
            return -1
        text = _safe(_encode(_facts(result, self._reproduce, self._log_of(result.test) if result.sections else "")))
        if self._detail_bytes + len(text) > self._limits.details_bytes:
            self._left_out += 1
            return -1
        self._detail_bytes += len(text)
        self._details.append(text)
        return len(self._details) - 1

    def _lanes(self) -> list[dict[str, Any]]:
        lost = {each.worker: each.cause for each in self._run.losses}
        known = [
            {
                "name": each.worker,
                "start": each.started,
                "end": each.ended,
                "lost": lost.get(each.worker, "") or each.taken,
                "stages": [[stage.name, stage.began, stage.ended] for stage in each.stages],
            }
            for each in self._run.workers
        ]
        return known + [
            {"name": each, "start": 0, "end": 0, "lost": "", "stages": []} for each in self._unknown_workers
        ]

    def _notes(self) -> list[str]:
        run, notes = self._run, []
        total = len(run.outcomes) + len(run.missing)
        if total > len(self.rows):
            notes.append(f"This page shows {number(len(self.rows))} of {number(total)} tests; junit.xml holds all.")
        if self._left_out:
            notes.append(f"The details of {number(self._left_out)} tests did not fit; junit.xml holds them.")
        if run.mixed:
            notes.append("Sources changed while the tests ran: this result is never taken as up to date.")
        if run.late:
            notes.append(f"{number(run.late)} records came after the end of their worker and did not count.")
        return notes


def _facts(result: Result, reproduce: Reproduce, log: str) -> dict[str, Any]:
    """A result's texts, made inert: control characters and halves of characters are no good in a page either."""
    facts: dict[str, Any] = {"message": inert(result.message)}
    if not result.verdict.is_good:
        facts["reproduce"] = inert(reproduce(result.test))
    if log:
        facts["log"] = log  # A plain name: nothing of the test's is in it as it was.
    phases = [(phase.when, inert(phase.details)) for phase in result.phases if phase.details]
    if phases:
        facts["phases"] = phases
    if result.sections:
        facts["sections"] = [(inert(title), inert(text)) for title, text in result.sections]
    if result.properties:
        facts["properties"] = [(inert(name), inert(_told(value))) for name, value in result.properties]
    if result.earlier:
        facts["earlier"] = [inert(_story(each)) for each in result.earlier]
    return facts


def _told(value: object) -> str:
    """A property's value; what has parts, as JSON."""
    return json.dumps(value) if isinstance(value, list | dict) else str(value)


def _story(result: Result) -> str:
    return "\n\n".join(phase.details for phase in result.phases if phase.details) or result.message


def _safe(text: str) -> str:
    """Keep JSON text the same for JSON and harmless for HTML; it is ASCII already."""
    if "<" in text or ">" in text or "&" in text:
        return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return text


def _joined(texts: list[str]) -> Iterator[str]:
    for position, text in enumerate(texts):
        yield f"{',' if position else ''}{text}\n"
