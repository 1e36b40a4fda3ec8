"""Claims about the JSON reports: CTRF and the Trace Event format."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pipeline.model.runs import STAGES, Loss, MergedRun, Outcome, Stage, WorkerSpan
from pipeline.model.verdicts import Verdict
from pipeline.report.ctrf import STATUS, write_ctrf
from pipeline.report.html import HtmlReport
from pipeline.report.summary import Shown, summary
from pipeline.report.trace import write_trace
from tests.report.samples import HOSTILE, failed, merged, result, troubled

TEXT = {"type": "string"}
WHOLE = {"type": "integer", "minimum": 0}
STATUSES = {"enum": ["passed", "failed", "skipped", "pending", "other"]}
RETRY = {
    "attempt": {"type": "integer", "minimum": 1},
    "status": STATUSES,
    "duration": WHOLE,
    "message": TEXT,
    "trace": TEXT,
}
TEST = {
    "name": {"type": "string", "minLength": 1},
    "status": STATUSES,
    "duration": WHOLE,
    "start": WHOLE,
    "stop": WHOLE,
    "rawStatus": TEXT,
    "suite": {"type": "array", "minItems": 1, "items": TEXT},
    "threadId": TEXT,
    "message": TEXT,
    "trace": TEXT,
    "stdout": {"type": "array", "items": TEXT},
    "stderr": {"type": "array", "items": TEXT},
    "flaky": {"type": "boolean"},
    "retries": WHOLE,
    "retryAttempts": {
        "type": "array",
        "minItems": 1,
        "items": {"required": ["attempt", "status"], "properties": RETRY, "additionalProperties": False},
    },
    "extra": {"type": "object"},
}
SUMMARY = ["tests", "passed", "failed", "skipped", "pending", "other", "start", "stop"]
CTRF_0_0 = {
    "required": ["reportFormat", "specVersion", "results"],
    "properties": {
        "reportFormat": {"const": "CTRF"},
        "specVersion": {"type": "string", "pattern": r"^[0-9]+\.[0-9]+\.[0-9]+$"},
        "results": {
            "required": ["tool", "summary", "tests"],
            "properties": {
                "summary": {"required": SUMMARY, "additionalProperties": WHOLE},
                "tests": {
                    "items": {
                        "required": ["name", "status", "duration"],
                        "properties": TEST,
                        "additionalProperties": False,
                    }
                },
            },
        },
    },
}
"""The part of ctrf-schema-0.0.json (npm package `ctrf` 0.3.0) that concerns what we write; unknown keys are refused."""


def strictly(text: str) -> Any:
    """Parse JSON as other languages do: `NaN` is none."""

    def refuse(name: str) -> Any:
        raise ValueError(name)

    return json.loads(text, parse_constant=refuse)


def ctrf(run: MergedRun) -> Any:
    """Our CTRF document, read back."""
    file = io.StringIO()
    write_ctrf(run, file)
    return strictly(file.getvalue())


def trace(run: MergedRun) -> list[dict[str, Any]]:
    """Our trace events, read back."""
    file = io.StringIO()
    write_trace(run, file)
    events = strictly(file.getvalue())["traceEvents"]
    assert isinstance(events, list)
    return events


@pytest.mark.parametrize("run", [troubled(), merged(), merged(result(), failed())], ids=["troubled", "empty", "usual"])
def test_ctrf_fits_its_schema(run: MergedRun) -> None:
    """Readers of the format accept the file, hostile names included."""
    jsonschema.validate(ctrf(run), CTRF_0_0)


def test_ctrf_counts_what_it_lists() -> None:
    """Summary and tests agree, and tests without a verdict are listed too."""
    results = ctrf(troubled())["results"]

    statuses = [test["status"] for test in results["tests"]]
    assert results["summary"]["tests"] == len(statuses) == len(troubled().outcomes) + 2
    assert {each: results["summary"][each] for each in set(statuses)} == {
        each: statuses.count(each) for each in statuses
    }
    assert results["summary"]["flaky"] == 1


def test_every_verdict_has_a_ctrf_status() -> None:
    """The raw one stands beside, unless they are equal."""
    assert set(STATUS) == set(Verdict)
    tests = ctrf(merged(*[result(f"unit::{each}", each) for each in Verdict]))["results"]["tests"]

    assert [test.get("rawStatus", test["status"]) for test in tests] == [each.value for each in Verdict]


def test_ctrf_tells_each_try() -> None:
    """A flaky test says so and shows what failed first."""
    (test,) = ctrf(merged(result(tries=2, earlier=(failed(),))))["results"]["tests"]

    assert test["flaky"] is True
    assert test["retries"] == 1
    assert test["retryAttempts"][0]["message"] == "assert 1 == 2"


def test_the_trace_has_a_row_for_each_worker_and_an_event_for_each_test() -> None:
    """Perfetto shows who did what when."""
    outcomes = (
        Outcome(result=result("unit::a", seconds=1.5), worker="w0", start=0.25),
        Outcome(result=failed("unit::b"), worker="w1", attempt=2, start=2.0),
        Outcome(result=result("unit::c", Verdict.NOT_RUN), worker="w1"),
    )
    workers = tuple(WorkerSpan(worker=f"w{each}", slot=each, place="h", started=0.0, ended=3.0) for each in range(2))
    losses = (Loss(worker="w1", cause="crashed", test="unit::b"),)
    events = trace(merged().__class__(run="r", plan="p", outcomes=outcomes, workers=workers, losses=losses))

    rows = {each["tid"]: each["args"]["name"] for each in events if each["name"] == "thread_name"}
    tests = [each for each in events if each["ph"] == "X"]
    assert [(rows[each["tid"]], each["name"], each["ts"], each["dur"]) for each in tests] == [
        ("w0", "unit::a", 250_000, 1_500_000),
        ("w1", "unit::b", 2_000_000, 250_000),
    ]
    assert tests[1]["args"] == {"verdict": "failed", "attempt": 2, "tries": 1, "message": "assert 1 == 2"}
    (lost,) = [each for each in events if each["ph"] == "i"]
    assert (rows[lost["tid"]], lost["name"], lost["ts"]) == ("w1", "lost: crashed in unit::b", 3_000_000)


def test_the_trace_of_a_troubled_run_can_be_read() -> None:
    """Names come back as they were, whatever is in them."""
    names = {each["name"] for each in trace(troubled()) if each["ph"] == "X"}

    assert f"unit::tests/test_h.py::test_{HOSTILE}" in names


def elsewhere() -> MergedRun:
    """A run whose worker lived in a place that was taken away."""
    steps = [Stage(name=name, began=at - 5.0, ended=at - 4.0) for at, name in enumerate(STAGES)]
    worker = WorkerSpan(
        worker="w0",
        slot=0,
        place="pod p",
        started=-1.0,
        ended=3.0,
        node="node-1</b>",
        stages=tuple(steps),
        pull_seconds=0.5,
        taken="preempted",
        lost_seconds=2.0,
    )
    return merged(result(), workers=(worker,))


def test_the_trace_begins_where_the_first_place_was_asked_for() -> None:
    """No time is negative; each step is an event of its worker's row, and so is that it was taken away."""
    events = trace(elsewhere())

    steps = [each for each in events if each.get("cat") == "place"]
    assert [(each["name"], each["ts"], each["dur"]) for each in steps] == [
        (name, at * 1_000_000, 1_000_000) for at, name in enumerate(STAGES)
    ]
    assert {each["args"]["node"] for each in steps} == {"node-1</b>"}
    assert [each["ts"] for each in events if each.get("cat") == "passed"] == [5_000_000]
    assert [(each["name"], each["ts"]) for each in events if each["ph"] == "i"] == [
        ("taken away: preempted", 8_000_000)
    ]


def test_the_page_and_the_summary_tell_of_places(tmp_path: Path) -> None:
    """Node, steps, pull, cause and cost of each; hostile names stay text."""
    (path,) = HtmlReport(tmp_path, reproduce=lambda _: "").finish(elsewhere())
    page = Path(path).read_text("utf-8")

    assert "Places of 1 worker, 1 of them taken away" in page
    assert "node-1&lt;/b&gt;" in page and "500 ms" in page and "preempted" in page and "2.0 s" in page
    told = summary(elsewhere(), lambda _: "", Shown())
    assert "workers taken away:\n  1 preempted, 2.0 s of work repeated" in told
