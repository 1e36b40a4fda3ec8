"""Coverage, outputs and logs of all jobs come to the one that gathers, although their checkouts lie at different paths."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.joining.house import Build

TESTS = """\
import os, pathlib, time
import pytest
import code{number}
from test_f0 import trace

@pytest.mark.parametrize("n", range(8))
def test_covers(n):
    trace("covers{number}[%d]" % n)
    time.sleep(0.15)
    code{number}.branch(n)
    pathlib.Path("made").mkdir(exist_ok=True)
    pathlib.Path("made/{number}-%d.txt" % n).write_text(os.environ["JOB"])
"""
CODE = "def branch(n):\n" + "".join(f"    if n == {n}:\n        return {n}\n" for n in range(8))


@pytest.mark.timeout(150)
def test_coverage_and_outputs_of_all_jobs_are_one_report(build: Build) -> None:
    """Lines that were covered on any machine are covered; files that tests have made are all there."""
    pytest.importorskip("pytest_cov")
    build.sleepers(files=1, count=1, seconds=0.0)
    for number in range(3):
        build.files[f"code{number}.py"] = CODE
        build.files[f"test_covers{number}.py"] = TESTS.format(number=number)
    build.files["pytest.ini"] = "[pytest]\naddopts = --cov=. --cov-report=term --cov-fail-under=100\n"
    build.files[".coveragerc"] = "[run]\nomit = test_*\n"
    build.settings = ("suites.pytest.outputs=made/*.txt",)
    running = [build.job().start() for _ in range(3)]

    assert [each.end() for each in running] == [0, 0, 0], "\n".join(each.output for each in running)
    assert len({job for _, job in build.traces()}) > 1
    reporter = build.reporter()
    output = next(each.output for each in running if each.project is reporter)
    assert re.search(r"^TOTAL .* 100%$", output, re.MULTILINE), output
    made = {path.name for path in (reporter.root / "build" / "outputs").rglob("*.txt")}
    assert made == {f"{number}-{n}.txt" for number in range(3) for n in range(8)}
    assert _logs(reporter.root) >= 2


def _logs(root: Path) -> int:
    return len(list((root / "build" / "outputs").glob("*/logs/**/*.log")))
