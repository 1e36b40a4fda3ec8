"""Run a project under plain pytest, with a small plug-in that writes down what pytest says of each test.

Runs in the project's interpreter (Python 3.8 syntax), by path: `python plain.py OUTPUT [pytest arguments]`.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

if __name__ == "__main__":
    output = os.path.abspath(sys.argv[1])
    sys.argv[1:2] = []
    sys.path[0] = os.getcwd()

import pytest

RANKS = ("failed", "error", "xfailed", "xpassed", "skipped", "passed")


class Recorder:
    """One record per run of an item."""

    def __init__(self) -> None:
        self.records: Any = []
        self.errors: Any = []
        self.seen: Any = Counter()
        self.current: Any = None

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: Any) -> Iterator[None]:
        number = self.seen[item.nodeid]
        self.seen[item.nodeid] += 1
        self.current = {"native": item.nodeid, "occurrence": number, "categories": [], "phases": [], "exceptions": []}
        self.current.update(xfail="", properties=[])
        self.records.append(self.current)
        self.config = item.config
        yield

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: Any) -> None:
        category = self.config.hook.pytest_report_teststatus(report=report, config=self.config)[0]
        record = self.current
        if report.when == "setup":
            record.update(categories=[], phases=[])
        if report.outcome == "rerun":
            record.update(exceptions=[])
            return
        is_subtest = type(report).__name__.lower() == "subtestreport"
        if not is_subtest or report.outcome == "failed":
            record["phases"].append([report.when, report.outcome])
            passed_call = report.when == "call" and report.outcome == "passed" and not hasattr(report, "wasxfail")
            record["categories"].append(category or ("passed" if passed_call else ""))
        if hasattr(report, "wasxfail"):
            record["xfail"] = report.wasxfail.replace("reason: ", "", 1)
        record["properties"] = [
            [name, value if is_plain(value) else repr(value)] for name, value in report.user_properties
        ]

    def pytest_exception_interact(self, call: Any, report: Any) -> None:
        kind = type(call.excinfo.value)
        name = kind.__qualname__ if kind.__module__ == "builtins" else kind.__module__ + "." + kind.__qualname__
        if self.current is not None and report.when in ("setup", "call", "teardown"):
            self.current["exceptions"].insert(0, ["failed" if report.when == "call" else "error", name])

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed:
            self.errors.append(report.nodeid)


def is_plain(value: Any) -> bool:
    """Whether JSON carries it."""
    try:
        return bool(json.loads(json.dumps(value)) == value)
    except (TypeError, ValueError):
        return False


def verdict_of(record: Any) -> str:
    """The worst category pytest counted the test under."""
    for rank in RANKS:
        if rank in record["categories"]:
            return rank
    return "passed"


if __name__ == "__main__":
    recorder = Recorder()
    code = pytest.main(sys.argv[1:], plugins=[recorder])
    for record in recorder.records:
        record["verdict"] = verdict_of(record)
        deciding = [name for rank, name in record["exceptions"] if rank == record["verdict"]]
        record["exception"] = deciding[0] if deciding else ""
    with open(output, "w") as file:
        json.dump({"code": int(code), "records": recorder.records, "errors": recorder.errors}, file)
