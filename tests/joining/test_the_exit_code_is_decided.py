"""Who ends with the run's exit code: every job, or the last one; a red run never ends with nothing but zeros."""

from __future__ import annotations

import shutil
import signal
import time
from collections import Counter

import pytest

from tests.faults.project import until
from tests.joining.house import Build

pytestmark = pytest.mark.timeout(150)
LONG = "import time\ndef test_long():\n    time.sleep(20)\n    assert {good}\n"


def test_every_job_ends_as_the_run_does(build: Build) -> None:
    """Without a setting a red run makes each of its jobs red, and each says what was bad."""
    build.sleepers(files=4, count=4, seconds=0.2)
    build.files["test_red.py"] = "def test_red():\n    assert 1 == 2\n"
    running = [build.job().start() for _ in range(3)]

    assert [each.end() for each in running] == [1, 1, 1], "\n".join(each.output for each in running)
    assert build.reporter().verdicts()["test_red::test_red"] == "failure"
    assert all("not good:" in each.output for each in running)


def test_jobs_with_nothing_to_do_leave_and_the_last_one_decides(build: Build) -> None:
    """While one job has a long test the others end with 0 and say so; that job alone is red."""
    build.sleepers(files=4, count=2, seconds=0.1)
    build.files["test_long.py"] = LONG.format(good=False)
    build.settings = ("join.exit_code=last",)
    begun = time.monotonic()
    running = [build.job().start() for _ in range(3)]
    until(lambda: sum(each.process.poll() is not None for each in running) == 2, "two jobs have left")
    left_after = time.monotonic() - begun
    codes = sorted(each.end() for each in running)

    assert codes == [0, 0, 1], "\n".join(each.output for each in running)
    assert time.monotonic() - begun >= left_after + 1
    assert sum("so this job ends with 0; others carry on" in each.output for each in running) == 2
    decider = next(each for each in running if each.process.returncode == 1)
    assert build.reporter() is decider.project


def test_jobs_that_are_there_at_the_end_leave_the_decision_to_one(build: Build) -> None:
    """Of jobs that work to the end one is red, the others say which."""
    build.sleepers(files=8, count=4, seconds=0.2)
    build.files["test_red.py"] = "def test_red():\n    assert False\n"
    build.settings = (
        "join.exit_code=last",
        "workers.lease_seconds=60s",
    )  # Nobody is heard for long enough to be left to.
    running = [build.job().start() for _ in range(2)]
    codes = sorted(each.end() for each in running)

    assert codes == [0, 1], "\n".join(each.output for each in running)
    other = next(each for each in running if each.process.returncode == 0)
    assert "exit 1" in other.output
    assert "ends with 1; this one ends with 0" in other.output


def test_who_relied_on_a_job_that_dies_is_not_the_last_word(build: Build) -> None:
    """The job that others have left the rest to is killed: it is not green, and the same job again decides."""
    build.sleepers(files=2, count=2, seconds=0.1)
    build.files["test_long.py"] = LONG.format(good=True)
    build.settings = ("join.exit_code=last",)
    running = [build.job().start() for _ in range(2)]
    until(lambda: any(each.process.poll() is not None for each in running), "one job has left")
    stays = next(each for each in running if each.process.poll() is None)
    stays.signal(signal.SIGKILL)
    codes = sorted(each.end() for each in running)
    assert codes == [0, 137]
    again = stays.project.start()

    assert again.end() == 0, again.output
    assert build.reporter().verdicts() and set(build.reporter().verdicts().values()) == {"passed"}


def test_a_result_that_was_closed_but_never_told_is_told_by_another(build: Build) -> None:
    """Whoever closed a red run died over its reports: a job that comes waits for a while, then writes them and is red."""
    tests = build.sleepers(files=2, count=2, seconds=0.05)
    build.files["test_red.py"] = "def test_red():\n    assert False\n"
    build.settings = ("join.exit_code=last", "workers.lease_seconds=2s")
    first, second = build.job(), build.job()
    assert first.start().end() == 1
    (build.folder / "common" / "store" / "runs" / "ci-4711" / "told").unlink()
    shutil.rmtree(first.root / "build" / "reports")
    running = second.start()

    assert running.end() == 1, running.output
    assert Counter(build.reporter().verdicts().values()) == {"passed": tests, "failure": 1}
    assert build.reporter() is second
