"""What a whole run shares is set up once and torn down for certain: after failures, stops and deaths of whoever holds it."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from tests.faults.checks import assert_sound
from tests.faults.project import Project, Running, kill_all, until

pytestmark = [pytest.mark.parametrize("project", ["local"], indirect=True), pytest.mark.timeout(240)]

SUITE = """
[project]
name = "x"
version = "1"
[tool.doit-fleet.suites.bench]
framework = "command"
rows = [{rows}]
command = 'echo "bench::$DOIT_FLEET_TEST" >> "$FLEET_TRACE"; test "$CLUSTER" = "of $DOIT_FLEET_RUN_ID" || exit 9; sleep {seconds}'
[tool.doit-fleet.suites.bench.setups.cluster]
per = "run"
command = '''
echo up >> "$FLEET_TRACE.setups"
echo "CLUSTER=of $DOIT_FLEET_RUN_ID" > $DOIT_FLEET_EXPORT
{setup}
'''
teardown = 'echo "down $CLUSTER" >> "$FLEET_TRACE.setups"; {teardown}'
"""


def write(project: Project, *, tests: int = 12, seconds: float = 0.1, setup: str = "", teardown: str = "") -> int:
    """Write the suite; how many tests that makes."""
    rows = ", ".join(f'{{ name = "t{n}" }}' for n in range(tests))
    text = SUITE.format(rows=rows, seconds=seconds, setup=setup or "setsid sleep 1000 &", teardown=teardown or "true")
    project.write("pyproject.toml", text)
    project.arguments = ("workers.count=3", f"workers.lease_seconds={project.lease}", "workers.max_losses=100")
    return tests


def told(project: Project) -> list[str]:
    """What set-up and tear-down have said so far."""
    path = project.trace_file.with_name("trace.setups")
    return [line.split()[0] for line in path.read_text().splitlines()] if path.exists() else []


def holder(project: Project) -> int:
    """The pid of the process that holds it."""
    (pid,) = [pid for pid in project.processes() if b"command_holding" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    return pid


def until_down(project: Project, times: int = 1) -> None:
    """Wait for so many tear-downs."""
    until(lambda: told(project).count("down") == times, lambda: f"torn down: {told(project)}")


def test_it_stands_once_around_all_tests(project: Project) -> None:
    """Whatever it left in the background is gone, too."""
    tests = write(project)
    running = project.start()
    assert running.end() == 0, running.output

    assert_sound(project, tests, repeats=0)
    assert told(project) == ["up", "down"]
    assert project.left() == []


def test_a_set_up_that_fails_ends_the_run_before_any_test(project: Project) -> None:
    """It is torn down, what it said is shown, and the same command tries again."""
    tests = write(project, setup="echo no cluster today; test -f ready")
    first = project.start()
    assert first.end() == 2, first.output
    assert "suite 'bench': set-up 'cluster': exit status 1\nno cluster today" in first.output
    assert (project.traces(), told(project)) == ([], ["up", "down"])
    (project.root / "ready").touch()
    again = project.start()
    assert again.end() == 0, again.output

    assert_sound(project, tests, repeats=0)
    assert told(project) == ["up", "down"] * 2


def test_a_tear_down_that_fails_is_a_warning(project: Project) -> None:
    """With what it said; verdicts stand."""
    write(project, teardown="echo it hangs on; exit 4")
    running = project.start()

    assert running.end() == 0, running.output
    assert "tear-down 'cluster': exit status 4" in running.output
    assert "it hangs on" in running.output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_while_tests_run(project: Project, number: int) -> None:
    """Torn down before the agent ends; the run that goes on sets up anew, and repeats no test that was done."""
    tests = write(project, seconds=0.5)
    running = project.start()
    running.until_begun(4)
    running.signal(number)
    assert running.end() == 128 + number, running.output
    assert told(project) == ["up", "down"]
    again = project.start()
    assert again.end() == 0, again.output

    assert_sound(project, tests, repeats=3)
    assert told(project) == ["up", "down"] * 2


def test_a_stop_while_it_is_set_up(project: Project) -> None:
    """No test begins."""
    write(project, setup="sleep 100")
    running = project.start()
    until(lambda: told(project) == ["up"], "set up")
    running.signal(signal.SIGINT)

    assert running.end(20) == 130, running.output
    assert (project.traces(), told(project)) == ([], ["up", "down"])
    assert "stays open" in running.output


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_an_agent_that_goes_at_once(project: Project, number: int) -> None:
    """Killed, or left by a second signal: whoever holds it tears down without it."""
    tests = write(project, seconds=0.5, teardown="sleep 0.5")
    running = project.start()
    running.until_begun(4)
    if number == signal.SIGKILL:
        running.signal(number)
    else:
        leave_at_once(running)
    running.end()
    until_down(project)
    again = project.start()
    assert again.end() == 0, again.output

    assert_sound(project, tests, repeats=6)
    assert told(project) == ["up", "down"] * 2


def leave_at_once(running: Running) -> None:
    """Two signals, the second one when the first was heard."""
    running.signal(signal.SIGINT)
    until(lambda: not running.project.processes() or len(running.family()["harness"]) < 3, "the first signal is heeded")
    if running.process.poll() is None:
        running.signal(signal.SIGINT)


@pytest.mark.parametrize("by", ["the next run", "sweep"])
def test_a_holder_that_was_killed_together_with_its_agent(project: Project, by: str) -> None:
    """What stands is noted, and torn down by whoever comes next."""
    write(project, seconds=0.5)
    running = project.start()
    running.until_begun(4)
    kill_all([holder(project), running.process.pid])
    running.end()
    until(lambda: not project.processes() or told(project) == ["up"], "all ended")
    assert told(project) == ["up"]
    come = project.start(*(["sweep"] if by == "sweep" else []))
    code = come.end()

    assert (code, told(project)) == ((0, ["up", "down"]) if by == "sweep" else (0, ["up", "down", "up", "down"])), (
        come.output
    )
    assert not list((project.root / "build/command/bench/standing-run").glob("*.json"))


def test_a_holder_that_was_killed_is_named(project: Project) -> None:
    """Tests go on; at the end it is said that something may stand."""
    write(project, seconds=0.3)
    running = project.start()
    running.until_begun(2)
    kill_all([holder(project)])

    assert running.end() == 0, running.output
    assert "what the run shared may still stand" in running.output
    sweep = project.start("sweep", "--json")
    assert sweep.end() == 0, sweep.output
    assert "set-up 'cluster' of suite 'bench'" in json.dumps(json.loads(sweep.output)["elsewhere"])
    assert told(project) == ["up", "down"]


def test_jobs_that_share_a_run_are_refused(project: Project) -> None:
    """Nobody could set it up for all of them."""
    write(project)
    running = project.start("join.name=together", f"store.url={project.shared}/store")

    assert running.end() == 3, running.output
    assert "has a set-up per run, but several jobs share this run" in running.output
    assert project.traces() == []
