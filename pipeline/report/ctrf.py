"""`ctrf.json`: the Common Test Report Format (ctrf.io, schema 0.0), for tools that read JSON instead of XML.

Written test by test, so that memory does not grow with the run. Verdicts are mapped onto CTRF's five; the raw one
stands beside.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from json.encoder import encode_basestring_ascii as quoted
from pathlib import Path
from typing import Any, Final, TextIO

from pipeline.model.runs import MergedRun, Outcome, WorkerSpan
from pipeline.model.verdicts import Result, Verdict
from pipeline.report.addresses import Natives, suite_of
from pipeline.report.output_files import existing
from pipeline.report.writing import whole_file

SPECIFICATION: Final = "0.0.0"
STATUS: Final = {
    Verdict.PASSED: "passed",
    Verdict.XPASSED: "passed",
    Verdict.FAILED: "failed",
    Verdict.ERROR: "failed",
    Verdict.TIMED_OUT: "failed",
    Verdict.CRASHED: "failed",
    Verdict.SKIPPED: "skipped",
    Verdict.XFAILED: "skipped",
    Verdict.NOT_RUN: "pending",
    Verdict.LOST: "other",
}
_encode: Final = json.JSONEncoder(separators=(",", ":")).encode


class CtrfReport:
    """A reporter that writes the file when the run is merged."""

    name = "ctrf"

    def __init__(self, directory: Path) -> None:
        self.path = directory / "ctrf.json"

    def event(self, event: object) -> None:
        """Events are of no interest here."""

    def finish(self, run: MergedRun) -> Sequence[str]:
        """Write the file. Raises `EngineError`."""
        with whole_file(self.path) as file:
            write_ctrf(run, file, existing(self.path.parent, run.run))
        return (str(self.path),)


def write_ctrf(run: MergedRun, file: TextIO, log_of: Callable[[str], str] = lambda test: "") -> None:
    """Write the document. `log_of`: the file of what a test printed, relative to the document."""
    natives = Natives(run.outcomes)
    began = int(run.started * 1000)
    file.write(f'{{"reportFormat":"CTRF","specVersion":"{SPECIFICATION}","generatedBy":"doit-fleet",')
    file.write(f'"results":{{"tool":{{"name":"doit-fleet"}},"summary":{_encode(_summary(run))},\n"tests":[')
    wheres = {name: _where(span) for name, span in run.places().items()}
    file.writelines(_separated(_tests(run.outcomes, natives, began, log_of, wheres)))
    if run.outcomes and run.missing:
        file.write(",\n")
    file.writelines(_separated(_missing(test, worker, natives) for test, worker in run.missing))
    extra = {"run": run.run, "plan": run.plan, "exitCode": run.exit_code, "errors": run.errors}
    file.write(f'\n],"extra":{_encode(extra)}}}}}\n')


def _separated(texts: Iterable[str]) -> Iterator[str]:
    separator = ""
    for text in texts:
        yield separator + text
        separator = ",\n"


def _summary(run: MergedRun) -> dict[str, Any]:
    counts = dict.fromkeys(("passed", "failed", "skipped", "pending", "other"), 0)
    special = [each.result for each in run.outcomes if each.result.verdict is not Verdict.PASSED]
    counts["passed"] = len(run.outcomes) - len(special)
    for result in special:
        counts[STATUS[result.verdict]] += 1
    counts["other"] += len(run.missing)
    flaky = sum(1 for each in run.outcomes if each.result.earlier and each.result.is_flaky)
    began = int(run.started * 1000)
    times = {"start": began, "stop": began + int(run.seconds * 1000), "duration": int(run.seconds * 1000)}
    total = len(run.outcomes) + len(run.missing)
    return {"tests": total, **counts, "flaky": flaky, "suites": len(run.suites), **times}


def _where(span: WorkerSpan) -> dict[str, str]:
    """Host and queue, where they are known."""
    return {name: value for name, value in (("host", span.host), ("queue", span.queue)) if value}


def _tests(
    outcomes: Iterable[Outcome],
    natives: Natives,
    began: int,
    log_of: Callable[[str], str],
    wheres: Mapping[str, Mapping[str, str]],
) -> Iterator[str]:
    """Each test as JSON, put together by hand; what simply passed goes the shortest way."""
    passed, repeated = Verdict.PASSED, natives.repeated
    places: dict[tuple[str, str], str] = {}
    for outcome in outcomes:
        result = outcome.result
        if (
            result.verdict is not passed
            or outcome.attempt != 1
            or result.message
            or result.sections
            or result.earlier
            or result.properties
            or result.test in repeated
        ):
            log = log_of(result.test) if result.sections else ""
            yield _test(outcome, natives, began, log, wheres.get(outcome.worker, {}))
            continue
        suite, _, native = result.test.partition("::")
        place = places.get((suite, outcome.worker))
        if place is None:
            where = wheres.get(outcome.worker)
            extra = f',"extra":{_encode(where)}' if where else ""
            place = f'"suite":[{quoted(suite)}],"threadId":{quoted(outcome.worker)}{extra}}}'
            places[suite, outcome.worker] = place
        yield (
            f'{{"name":{quoted(native or suite)},"status":"passed","duration":{int(result.seconds * 1000)},'
            f'"start":{began + int(outcome.start * 1000)},{place}'
        )


def _test(outcome: Outcome, natives: Natives, began: int, log: str, where: Mapping[str, str]) -> str:
    """One test as JSON, with all that is known of it."""
    result = outcome.result
    start = began + int(outcome.start * 1000)
    milliseconds = int(result.seconds * 1000)
    text = (
        f'{{"name":{quoted(natives(result.test) or result.test)},"status":"{STATUS[result.verdict]}",'
        f'"duration":{milliseconds},"start":{start},"stop":{start + milliseconds},'
        f'"rawStatus":"{result.verdict.value}","suite":[{quoted(suite_of(result.test))}],'
        f'"threadId":{quoted(outcome.worker)}'
    )
    more = _more(result, outcome.attempt, where)
    if log:
        more = {"attachments": [{"name": "output", "contentType": "text/plain", "path": log}], **more}
    return f"{text},{_encode(more)[1:]}" if more else text + "}"


def _more(result: Result, attempt: int, where: Mapping[str, str]) -> dict[str, Any]:
    """What only some tests have."""
    more: dict[str, Any] = {}
    if result.message:
        more["message"] = result.message
    details = _details(result)
    if details:
        more["trace"] = details
    if result.sections:
        for stream in ("stdout", "stderr"):
            more[stream] = [line for title, text in result.sections if stream in title for line in text.splitlines()]
    if result.earlier:
        more["flaky"] = result.is_flaky
        more["retries"] = len(result.earlier)
        more["retryAttempts"] = [_earlier(number, each) for number, each in enumerate(result.earlier, start=1)]
    extra = {name: value for name, value in (*where.items(), ("exception", result.exception)) if value}
    if attempt > 1:
        extra["attempt"] = str(attempt)
    if result.properties:
        extra |= dict(result.properties)
    return {**more, "extra": extra} if extra else more


def _earlier(number: int, result: Result) -> dict[str, Any]:
    status, milliseconds = STATUS[result.verdict], int(result.seconds * 1000)
    retry = {"attempt": number, "status": status, "duration": milliseconds, "message": result.message}
    return {**retry, "trace": _details(result)}


def _missing(test: str, worker: str, natives: Natives) -> str:
    said = f"no verdict, last seen on worker {worker}" if worker else "no verdict, never begun"
    known = {"name": natives(test) or test, "status": "other", "duration": 0, "rawStatus": "missing"}
    return _encode({**known, "message": said, "suite": [suite_of(test)]})


def _details(result: Result) -> str:
    return "\n\n".join(phase.details for phase in result.phases if phase.details)
