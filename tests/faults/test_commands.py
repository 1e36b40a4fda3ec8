"""Commands whose harness, guard or agent dies or is stopped: one verdict each, nothing left, whatever was set up torn down."""

from __future__ import annotations

import os
import signal
from collections import Counter

import pytest

from tests.faults.checks import assert_sound
from tests.faults.project import Project, Running, kill_all, until

pytestmark = [pytest.mark.parametrize("project", ["local"], indirect=True), pytest.mark.timeout(240)]

TESTS = 40
SUITE = """
[project]
name = "x"
version = "1"
[tool.doit-fleet.suites.bench]
framework = "command"
rows = [{rows}]
command = 'echo "bench::$DOIT_FLEET_TEST" >> "$FLEET_TRACE"; setsid sleep {seconds} & wait $!'
[tool.doit-fleet.suites.bench.setups.pool]
key = "{{values.pool}}"
command = 'echo "up $DOIT_FLEET_KEY $DOIT_FLEET_WORKER" >> "$FLEET_TRACE.setups"; setsid sleep 1000 &'
teardown = 'echo "down $DOIT_FLEET_KEY $DOIT_FLEET_WORKER" >> "$FLEET_TRACE.setups"'
"""


@pytest.fixture
def suite(project: Project) -> int:
    """Short commands in four groups, that detach from their process group."""
    return write(project, 0.1)


def write(project: Project, seconds: float) -> int:
    """Write the suite; how many tests that makes."""
    rows = ", ".join(f'{{ name = "t{n}", values = {{ pool = "p{n % 4}" }} }}' for n in range(TESTS))
    project.write("pyproject.toml", SUITE.format(rows=rows, seconds=seconds))
    project.workers = 3
    project.arguments = ("workers.count=3", f"workers.lease_seconds={project.lease}", "workers.max_losses=100")
    return TESTS


def assert_torn_down(project: Project) -> None:
    """Whatever was set up has been torn down; again where a harness died before it could say that it had."""
    lines = project.trace_file.with_name("trace.setups").read_text().splitlines()
    told = Counter(tuple(line.split(" ", 1)) for line in lines)
    ups = {key: count for (what, key), count in told.items() if what == "up"}
    downs = {key: count for (what, key), count in told.items() if what == "down"}
    assert ups.keys() == downs.keys(), lines
    assert all(downs[key] >= ups[key] for key in ups), lines
    assert sum(downs.values()) - sum(ups.values()) <= project.workers, lines


def harnesses(running: Running) -> list[int]:
    """Their pids, once there are some."""
    until(lambda: running.family()["harness"], "a harness")
    return running.family()["harness"]


def test_killing_a_harness_is_no_failure(project: Project, suite: int) -> None:
    """Its command runs again; the next harness tears down what stood."""
    running = project.start()
    running.until_begun(suite // 2)
    kill_all(harnesses(running)[:1])

    assert running.end() == 0, running.output
    assert_sound(project, suite, repeats=1)
    assert_torn_down(project)


def test_a_harness_stopped_past_the_lease_is_replaced(project: Project, suite: int) -> None:
    """SIGSTOP for ever: its guard kills it, and the command that went on below it."""
    running = project.start()
    running.until_begun(suite // 3)
    os.kill(harnesses(running)[0], signal.SIGSTOP)

    assert running.end() == 0, running.output
    assert_sound(project, suite, repeats=1)
    assert_torn_down(project)


def test_a_killed_agent_leaves_no_command(project: Project, suite: int) -> None:
    """Guards end everything, what has left its process group too; the same command goes on and tears down what stood."""
    running = project.start()
    running.until_begun(suite // 2)
    kill_all([running.process.pid])
    running.end()
    until(lambda: not project.processes(), lambda: str(project.processes()), 10)

    again = project.start()
    assert again.end() == 0, again.output
    assert_sound(project, suite, repeats=project.workers)
    assert_torn_down(project)


def test_a_stopped_run_tears_down_and_goes_on_later(project: Project) -> None:
    """TERM: commands are ended, everything is torn down, the exit code says so; then only the rest runs."""
    suite = write(project, 0.2)
    running = project.start()
    running.until_begun(suite // 2)
    running.signal(signal.SIGTERM)

    assert running.end() == 143, running.output
    assert not project.processes()
    assert_torn_down(project)
    again = project.start()
    assert again.end() == 0, again.output
    assert_sound(project, suite, repeats=project.workers)
    assert_torn_down(project)


def test_a_command_that_kills_its_harness_is_blamed(project: Project) -> None:
    """Not its neighbours: it runs alone the second time, and its verdict is crashed."""
    write(project, 0)
    path = project.root / "pyproject.toml"
    vile = 'test $DOIT_FLEET_TEST = t7 && kill -SEGV $PPID; echo "bench::$DOIT_FLEET_TEST"'
    path.write_text(path.read_text().replace('echo "bench::$DOIT_FLEET_TEST"', vile))
    running = project.start()

    assert running.end() == 1, running.output
    verdicts = project.verdicts()
    assert Counter(verdicts.values()) == {"passed": TESTS - 1, "error": 1}
    assert "CRASHED bench::t7" in running.output
