"""Two signals: the first stops kindly and tidies up, the second leaves at once and says what is left."""

from __future__ import annotations

import json
import signal
from collections import Counter
from pathlib import Path

import pytest

from tests.engines.toml import inline
from tests.faults.conftest import SSH
from tests.faults.project import Project, Running, until
from tests.ssh.house import SshProject

pytestmark = [
    pytest.mark.parametrize("project", [pytest.param("local", marks=pytest.mark.timeout(120)), SSH], indirect=True)
]
TESTS = 40
KIND = 'trap \'echo "term $DOIT_FLEET_TEST" >> "$FLEET_TRACE.told"; exit 9\' TERM; '
DEAF = 'trap \'echo "term $DOIT_FLEET_TEST" >> "$FLEET_TRACE.told"\' TERM; '
SLOW = 'trap \'for _ in 1 2 3 4 5 6; do sleep 1; done; echo "ended $DOIT_FLEET_TEST" >> "$FLEET_TRACE.told"; exit 9\' TERM; '
LONG = 'echo "unit::$DOIT_FLEET_TEST" >> "$FLEET_TRACE"; while :; do sleep 0.05; done'
SET_UP = 'echo "up $DOIT_FLEET_KEY $DOIT_FLEET_WORKER" >> "$FLEET_TRACE.told"; sleep 1000 &'
TEAR_DOWN = 'echo "down $DOIT_FLEET_KEY $DOIT_FLEET_WORKER" >> "$FLEET_TRACE.told"'


def write(project: Project, command: str, kill_after_seconds: float) -> None:
    """A suite whose tests last until they are stopped, in four groups."""
    suite = {
        "framework": "command",
        "rows": [{"name": f"t{n}", "values": {"pool": f"p{n % 4}"}} for n in range(TESTS)],
        "command": command,
        "kill_after_seconds": kill_after_seconds,
        "setups": {"pool": {"key": "{values.pool}", "command": SET_UP, "teardown": TEAR_DOWN}},
    }
    if isinstance(project, SshProject):
        project.suite, project.lease = suite, "20s"
    else:
        lines = "".join(f"{name} = {inline(value)}\n" for name, value in suite.items())
        project.write("pyproject.toml", f"[tool.doit-fleet.suites.unit]\n{lines}")
        project.lease = "20s"
    project.workers = 4
    project.arguments = ("workers.count=4", f"workers.lease_seconds={project.lease}")


def told(project: Project) -> list[str]:
    """What set-ups, tear-downs and signalled tests have said."""
    path = project.trace_file.with_name("trace.told")
    return path.read_text().splitlines() if path.exists() else []


def count(project: Project, what: str) -> Counter[str]:
    """Of one kind, each as often as it was said."""
    return Counter(line.partition(" ")[2] for line in told(project) if line.startswith(f"{what} "))


def begun(project: Project) -> Running:
    """A run with a test on each worker."""
    running = project.start()
    running.until_begun(project.workers)
    return running


@pytest.mark.parametrize(("command", "seconds"), [(KIND, 30.0), (DEAF, 1.0)], ids=["kind", "deaf"])
def test_the_first_stops_kindly_and_leaves_nothing(project: Project, command: str, seconds: float) -> None:
    """TERM to each test, KILL only for what does not heed it in its time; nothing new begins, all is torn down, 130."""
    write(project, command + LONG, seconds)
    running = begun(project)
    running.signal(signal.SIGINT)

    code = running.end(40)

    assert code == 130, running.output
    assert project.left() == [], running.output
    assert len(project.traces()) == project.workers
    assert set(count(project, "term")) == {one.removeprefix("unit::") for one in project.traces()}
    assert count(project, "up") == count(project, "down") != Counter(), told(project)
    said = f"stopping: ending {project.workers} tests, tearing down; again leaves at once\n"
    assert running.output.count(said) == 1, running.output
    assert f"stays open with 0 of {TESTS} tests done" in running.output.partition(said)[2]
    assert not notes(project)


def test_a_test_has_the_time_that_was_declared_for_it(project: Project) -> None:
    """From TERM to KILL, also where nothing is torn down: longer than workers of other frameworks have, and than a permission lasts."""
    write(project, SLOW + LONG, 30.0)
    project.lease, project.arguments = "4s", ("workers.count=4", "workers.lease_seconds=4s")
    if isinstance(project, SshProject):
        del project.suite["setups"]
    else:
        path = project.root / "pyproject.toml"
        path.write_text("".join(line for line in path.read_text().splitlines(True) if not line.startswith("setups")))
    running = begun(project)
    running.signal(signal.SIGTERM)

    code = running.end(40)

    assert code == 143, running.output
    assert len(count(project, "ended")) == project.workers, told(project)
    assert project.left() == []


def test_a_tear_down_that_a_stop_meets_is_done_again(project: Project) -> None:
    """A stop is a TERM to all that a worker runs; what it tears down at that moment is torn down all the same."""
    write(project, 'echo "unit::$DOIT_FLEET_TEST" >> "$FLEET_TRACE"', 5.0)
    slow = f'echo "tearing $DOIT_FLEET_KEY" >> "$FLEET_TRACE.told"; sleep 1; {TEAR_DOWN}'
    if isinstance(project, SshProject):
        project.suite["setups"]["pool"]["teardown"] = slow
    else:
        path = project.root / "pyproject.toml"
        path.write_text(path.read_text().replace(inline(TEAR_DOWN), inline(slow)))
    running = project.start()
    until(lambda: count(project, "tearing"), "a tear-down is under way")
    running.signal(signal.SIGINT)

    code = running.end(40)

    assert code == 130, running.output
    up, down = count(project, "up"), count(project, "down")
    assert up <= down, told(project)
    assert set(down.values()) == {1}, "also for those that the stop met before they had said that they are up"
    assert project.left() == []


def test_the_second_leaves_at_once_and_says_what_is_left(project: Project) -> None:
    """It does not wait for a deaf test; what stands is named with the way to remove it, which works."""
    write(project, DEAF + LONG, 60.0)
    running = begun(project)
    running.signal(signal.SIGINT)
    until(lambda: len(count(project, "term")) == project.workers, "all tests are told")
    running.signal(signal.SIGINT)

    code = running.end(10)

    assert code == 130, running.output
    assert "stays open, and `doit-fleet` goes on with it" in running.output
    assert "`doit-fleet sweep`" in running.output
    until(lambda: not project.processes(), "guards and relays end what the agent has left", 15)
    if not isinstance(project, SshProject):
        assert len(notes(project)) == sum(count(project, "up").values())
        assert f"{len(notes(project))} set-ups not torn down" in running.output
    sweep = project.start("sweep", "--json")
    assert sweep.end() == 0, sweep.output
    until(lambda: not project.left(), project.left, 15)
    assert count(project, "up") == count(project, "down") != Counter(), told(project)
    assert not notes(project)
    if not isinstance(project, SshProject):
        removed = json.loads(sweep.output)["elsewhere"]
        assert len(removed) == sum(count(project, "up").values())
        assert all(line.startswith("set-up 'pool' of 'p") for line in removed)


def notes(project: Project) -> list[Path]:
    """Of what stands on this machine."""
    return list((project.root / "build/command/unit/standing").glob("*.json"))
