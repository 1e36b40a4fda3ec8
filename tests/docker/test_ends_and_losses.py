"""Signals, killed containers, killed agents: no false failure, few repeats, nothing left."""

from __future__ import annotations

import signal
from collections import Counter

import pytest

from tests.docker.house import DockerProject
from tests.faults.project import until

pytestmark = pytest.mark.timeout(240)  # Containers of a busy machine take long over everything.

TESTS = 24


@pytest.fixture
def suite(project: DockerProject) -> int:
    """24 tests of 0.4 s in 4 files on 2 workers: about five seconds."""
    project.arguments = (*project.arguments, "workers.lease_seconds=4s", "workers.max_losses=100")
    return project.sleepers(files=4, count=6, seconds=0.4)


def assert_sound(project: DockerProject, *, repeats: int) -> None:
    """One good verdict for every test, and no more repeats than promised."""
    assert Counter(project.verdicts().values()) == {"passed": TESTS}
    begun = Counter(project.traces())
    assert len(begun) == TESTS
    assert sum(begun.values()) - TESTS <= repeats, {name: times for name, times in begun.items() if times > 1}


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_one_signal_stops_kindly_and_the_same_command_goes_on(
    project: DockerProject, suite: int, number: int, code: int
) -> None:
    """The run stays open, no container lives, every worker has its tombstone; the rest runs next time."""
    first = project.start()
    first.until_begun(suite // 3)
    first.signal(number)
    assert first.end(20) == code, first.output
    assert project.containers() == []
    before = len(project.traces())

    second = project.start()

    assert second.end() == 0, second.output
    assert before < suite
    assert_sound(project, repeats=2)


def test_a_signal_ends_deaf_tests(project: DockerProject, suite: int) -> None:
    """A test that ignores SIGTERM is not waited for, and nothing is left."""
    project.write(
        "test_deaf.py",
        "import signal, time\nfrom trace_support import trace\ndef test_deaf():\n"
        "    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n    trace('deaf')\n    time.sleep(60)\n",
    )
    running = project.start("workers.count=5")
    running.until_begun(1)
    until(lambda: "deaf" in project.traces(), "the deaf test has begun")
    running.signal(signal.SIGINT)

    assert running.end(30) == 130, running.output
    assert project.containers() == []


def test_a_killed_container_is_no_failure(project: DockerProject, suite: int) -> None:
    """`docker kill` of one of two workers: proven at once, its tests run elsewhere."""
    running = project.start()
    running.until_begun(suite // 3)
    project.containers()[0].kill()

    assert running.end() == 0, running.output
    assert_sound(project, repeats=1)
    assert [one["proof"] for one in project.events("WorkerLost")] == [True]


def test_a_container_paused_beyond_its_lease_is_replaced(project: DockerProject, suite: int) -> None:
    """A frozen worker is given up; nothing of it counts afterwards, and it is gone at the end."""
    running = project.start()
    running.until_begun(suite // 3)
    project.containers()[0].pause()

    assert running.end() == 0, running.output
    # What was in flight, and what had ended since the last flush: a frozen container's last words are not asked for.
    assert_sound(project, repeats=2)


def test_containers_go_on_without_their_agent(project: DockerProject, suite: int) -> None:
    """The agent is killed; its containers work on; the same command hears them and ends the run, repeating nothing."""
    first = project.start()
    first.until_begun(suite // 4)
    first.signal(signal.SIGKILL)
    assert first.end() == 137
    begun = len(project.traces())
    until(lambda: len(project.traces()) > begun + 2, "containers go on")
    assert len(project.containers()) == 2

    second = project.start()

    assert second.end() == 0, second.output
    assert_sound(project, repeats=0)


def test_sweep_removes_what_a_killed_agent_has_left(project: DockerProject, suite: int) -> None:
    """Containers of a run that nobody leads go with it; their run's store too."""
    first = project.start()
    first.until_begun(2)
    first.signal(signal.SIGKILL)
    first.end()
    for one in project.containers():
        one.kill()

    sweep = project.start("sweep")

    assert sweep.end() == 0, sweep.output
    assert project.containers() == []
    assert "container" in sweep.output
