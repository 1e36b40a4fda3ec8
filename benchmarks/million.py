"""A million tests: plan them, write the plan and its files, then report on them; against 10 s and 1 GB.

Tests, durations and results are made up by one seed before the clocks start. Seconds are wall time; `cpu_seconds` tell
what a busy machine adds. Memory is the peak of the whole process, the made-up values included.
"""

from __future__ import annotations

import argparse
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.output import show
from pipeline.logic.batching import make_batches
from pipeline.logic.estimating import estimate
from pipeline.logic.group_files import group_files
from pipeline.logic.grouping import make_buckets
from pipeline.logic.naming import test_id
from pipeline.logic.plan_codec import json_chunks
from pipeline.logic.planning import freeze
from pipeline.model.runs import MergedRun, Outcome
from pipeline.model.tests import Test
from pipeline.model.verdicts import Phase, Result, Verdict
from pipeline.report.finishing import file_reporters, finish_all

WORKERS = 32
FORMATS = ("junit", "ctrf", "trace", "html")
TESTS_PER_FILE = 200


def made_up_tests(count: int) -> list[Test]:
    """Tests of one suite in files of equal size."""
    natives = (f"tests/test_{at // TESTS_PER_FILE}.py::test_case[{at}]" for at in range(count))
    return [
        Test(id=test_id("unit", native, 0), suite="unit", native=native, file=native.partition("::")[0])
        for native in natives
    ]


def made_up_run(tests: Sequence[Test], seconds: Sequence[float]) -> MergedRun:
    """One run in which one test of a thousand failed."""
    phase = Phase(when="call", outcome="passed", seconds=0.01)
    failed = Phase(when="call", outcome="failed", seconds=0.01, details="E   assert 1 == 2\n" * 20)
    outcomes = tuple(
        Outcome(
            result=Result(
                test=test.id,
                verdict=Verdict.PASSED if at % 1000 else Verdict.FAILED,
                seconds=seconds[at],
                phases=(phase,) if at % 1000 else (failed,),
            ),
            worker=f"w{at % WORKERS}",
            start=at * 0.001,
        )
        for at, test in enumerate(tests)
    )
    return MergedRun(run="r", plan="p", suites=("unit",), outcomes=outcomes, exit_code=1)


def group(tests: Sequence[Test], known: dict[str, float], folder: Path) -> None:
    """What the task `group` does."""
    planned = estimate(tests, known)
    batches = make_batches(planned, WORKERS)
    plan = freeze(planned, batches, make_buckets(planned, batches, WORKERS))
    with (folder / "plan.json").open("wb") as file:
        file.writelines(json_chunks(plan))
    for name, text in group_files(plan).items():
        (folder / name).write_text(text)


def report(run: MergedRun, folder: Path) -> None:
    """What the task `gather` writes. Raises `RuntimeError` when a report could not be written."""
    written = finish_all(file_reporters(FORMATS, folder, lambda result: f"pytest {result}"), run)
    if written.errors:
        raise RuntimeError("; ".join(written.errors))


def measured(name: str, tests: int, work: Callable[[], None]) -> dict[str, str | int | float]:
    """One row: how long the work took, and the peak of memory so far."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return {
        "step": name,
        "tests": tests,
        "seconds": round(time.perf_counter() - wall, 3),
        "cpu_seconds": round(time.process_time() - cpu, 3),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024 if sys.platform == "linux" else 1 << 20),
    }


def main(arguments: Sequence[str]) -> int:
    """Measure both steps and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.million", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--tests", type=int, default=1_000_000)
    options = parser.parse_args(arguments)
    tests = made_up_tests(options.tests)
    draw = random.Random(1)
    known = {test.id: draw.lognormvariate(-4.0, 1.5) for test in tests}
    with tempfile.TemporaryDirectory() as folder:
        rows = [measured("group", options.tests, lambda: group(tests, known, Path(folder)))]
        run = made_up_run(tests, list(known.values()))
        known.clear()
        tests.clear()
        rows.append(measured("report", options.tests, lambda: report(run, Path(folder))))
    show("million", rows, as_json=options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
