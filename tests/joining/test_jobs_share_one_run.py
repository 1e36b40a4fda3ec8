"""Jobs that know of each other only the run's name share its tests: killed, stopped, late and missing ones are ordinary."""

from __future__ import annotations

import signal
from collections import Counter

import pytest

from tests.faults.project import until
from tests.joining.house import WORKERS, Build, can_be_apart

BOTH = pytest.mark.parametrize("build", ["folder", "s3"], indirect=True)
MACHINES = pytest.mark.parametrize(
    "is_apart",
    [
        False,
        pytest.param(True, marks=pytest.mark.skipif(not can_be_apart(), reason="name spaces may not be made here")),
    ],
    ids=["one machine", "own machines"],
)
IN_FLIGHT = 4
"""Tests of 0.1 s that a worker may begin in one flush of results (0.25 s), and the one in flight."""
pytestmark = pytest.mark.timeout(150)


@BOTH
def test_three_jobs_share_the_tests(build: Build) -> None:
    """Each test runs once, each job runs some, all end green, and one of them has the reports."""
    tests = build.sleepers(files=8, count=6, seconds=0.2)
    build.settings = ("workers.lease_seconds=20s",)  # Nobody dies, however busy the machine is.
    running = [build.job().start() for _ in range(3)]

    assert [each.end() for each in running] == [0, 0, 0], "\n".join(each.output for each in running)
    build.assert_sound(tests, repeats=0)
    assert len(Counter(job for _, job in build.traces())) == 3
    assert sum("reports are written by the job on" in each.output for each in running) == 2


@BOTH
@MACHINES
def test_a_killed_job_is_an_ordinary_loss(build: Build, is_apart: bool) -> None:
    """SIGKILL one of three half way: the others take its tests over and end green."""
    tests = build.sleepers(files=8, count=10, seconds=0.1)
    build.settings = ("store.flush_seconds=0.25s",)
    running = [build.job(is_apart=is_apart).start() for _ in range(3)]
    build.until_begun_by(build.jobs[1])
    build.until_begun(tests // 2)
    running[1].signal(signal.SIGKILL)

    assert [running[0].end(), running[2].end()] == [0, 0], running[0].output + running[2].output
    assert running[1].end() == 137
    build.assert_sound(tests, repeats=WORKERS * IN_FLIGHT)


def test_a_stopped_job_ends_in_order_and_others_go_on(build: Build) -> None:
    """SIGTERM one of three: it releases its work and ends at once with 143; nobody waits for a lease."""
    tests = build.sleepers(files=8, count=10, seconds=0.1)
    build.settings = ("workers.lease_seconds=60s",)
    running = [build.job().start() for _ in range(3)]
    build.until_begun_by(build.jobs[1])
    build.until_begun(tests // 3)
    running[1].signal(signal.SIGTERM)

    assert running[1].end(15) == 143, running[1].output
    assert "other jobs go on with it" in running[1].output
    assert [running[0].end(40), running[2].end(40)] == [0, 0], running[0].output + running[2].output
    build.assert_sound(tests, repeats=WORKERS)


@pytest.mark.parametrize("is_red", [False, True], ids=["green", "red"])
def test_a_late_job_tells_the_result(build: Build, is_red: bool) -> None:
    """When all is over a job runs and writes nothing, says how it was, and ends as the run did, whoever decides else."""
    tests = build.sleepers(files=2, count=4, seconds=0.05)
    build.settings = ("join.exit_code=last",)
    if is_red:
        build.files["test_red.py"] = "def test_red():\n    assert False\n"
    first, late = build.job(), build.job()
    code = int(is_red)
    assert first.start().end() == code
    begun = len(build.traces())
    running = late.start()

    assert running.end() == code, running.output
    assert f"{tests} passed" in running.output
    assert len(build.traces()) == begun
    assert build.reporter() is first
    assert "collecting" not in running.output


def test_a_job_alone_does_all(build: Build) -> None:
    """Others that were expected and never come are not waited for."""
    tests = build.sleepers(files=4, count=3, seconds=0.05)
    build.settings = ("join.jobs=20",)
    running = build.job().start()

    assert running.end(40) == 0, running.output
    build.assert_sound(tests, repeats=0)


def test_the_first_dies_before_there_is_a_plan(build: Build) -> None:
    """A job killed while it collects keeps nobody waiting: whoever is first with a plan has made it, once."""
    tests = build.sleepers(files=4, count=3, seconds=0.05)
    build.files["conftest.py"] = (
        "import os, time\nif os.environ['JOB'] == 'a':\n"
        "    open(os.environ['FLEET_TRACE'] + '.collects', 'w').close()\n    time.sleep(600)\n"
    )
    first = build.job().start()
    until(lambda: (build.folder / "common" / "trace.collects").exists(), "the first collects")
    second = build.job().start()
    first.signal(signal.SIGKILL)
    first.end()

    assert second.end(40) == 0, second.output
    build.assert_sound(tests, repeats=0)


def test_the_last_dies_while_closing(build: Build) -> None:
    """A run whose only job is killed when closing has begun is closed by the same command; no test runs again."""
    tests = build.sleepers(files=2, count=4, seconds=0.05)
    build.files["conftest.py"] = (
        "import os, pytest, time\n@pytest.fixture(scope='session', autouse=True)\n"
        "def slow_end():\n    yield\n    if os.environ.get('SLOW'):\n        time.sleep(20)\n"
    )
    job = build.job()
    first = job.start(env={"SLOW": "1"})
    endings = build.folder / "common" / "store" / "runs" / "ci-4711" / "ending"
    until(lambda: endings.is_dir() and any(endings.iterdir()), "closing has begun")
    first.signal(signal.SIGKILL)
    first.end()
    assert not (endings.parent / "closed").exists()
    second = job.start()

    assert second.end() == 0, second.output
    build.assert_sound(tests, repeats=0)


def test_a_clock_that_is_an_hour_wrong_changes_nothing(build: Build) -> None:
    """Death is judged on each job's own clock."""
    tests = build.sleepers(files=6, count=6, seconds=0.1)
    wrong = build.folder / "wrong"
    wrong.mkdir()
    (wrong / "sitecustomize.py").write_text("import time\nright = time.time\ntime.time = lambda: right() + 3600\n")
    jobs = [build.job(), build.job()]
    running = [jobs[0].start(), jobs[1].start(env={"PYTHONPATH": str(wrong)})]
    build.until_begun_by(jobs[1])

    assert [each.end() for each in running] == [0, 0], running[0].output + running[1].output
    build.assert_sound(tests, repeats=0)
