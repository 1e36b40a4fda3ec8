"""Workers, guards and agents are killed or stopped: no false failure, one verdict each, few repeats, nothing left."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter

import pytest

from tests.faults.checks import assert_sound
from tests.faults.project import Project, Running, kill_all, until


@pytest.fixture
def suite(project: Project) -> int:
    """Tests of two or three seconds altogether, in 8 files."""
    return project.busy()


def victims(running: Running, role: str, count: int = 1) -> list[int]:
    """Living processes of that role, once there are enough."""
    until(lambda: len(running.family()[role]) >= count, f"{count} of {role}")
    return running.family()[role]


def pause(running: Running, seconds: float) -> None:
    """Let a run go on for a while, or to its end."""
    deadline = time.monotonic() + seconds
    until(lambda: running.process.poll() is not None or time.monotonic() > deadline, "a pause")


def test_killing_one_harness_is_no_failure(project: Project, suite: int) -> None:
    """SIGKILL one of four workers half way."""
    running = project.start()
    running.until_begun(suite // 2)
    kill_all(victims(running, "harness")[:1])

    assert running.end() == 0, running.output
    assert_sound(project, suite, repeats=1)


def test_killing_random_harnesses_again_and_again_is_no_failure(project: Project, suite: int) -> None:
    """A random harness dies every half second until the end."""
    choose = random.Random(7)
    running = project.start()
    running.until_begun(5)
    kills = 0
    while running.process.poll() is None and kills < 8:
        harnesses = running.family()["harness"]
        if harnesses:
            kill_all([choose.choice(harnesses)])
            kills += 1
        pause(running, 0.5)

    assert running.end() == 0, running.output
    assert_sound(project, suite, repeats=kills)


@pytest.mark.parametrize("role", ["guard", "zygote"])
def test_killing_a_guard_or_the_zygote_is_no_failure(project: Project, suite: int, role: str) -> None:
    """What watches the harnesses may die too."""
    running = project.start()
    running.until_begun(suite // 3)
    kill_all(victims(running, role)[:1])

    assert running.end() == 0, running.output
    assert_sound(project, suite, repeats=project.workers)


def test_a_harness_stopped_past_the_lease_is_replaced(project: Project, suite: int) -> None:
    """SIGSTOP a harness for ever: its work goes elsewhere."""
    running = project.start()
    running.until_begun(suite // 3)
    os.kill(victims(running, "harness")[0], signal.SIGSTOP)

    assert running.end() == 0, running.output
    assert_sound(project, suite, repeats=1)


def test_an_agent_stopped_past_the_lease_goes_on(project: Project, suite: int) -> None:
    """SIGSTOP the agent: its guards end their harnesses, containers go on; SIGCONT: the run goes on to a green end."""
    running = project.start()
    running.until_begun(suite // 3)
    harnesses = victims(running, "harness", project.workers)
    running.signal(signal.SIGSTOP)
    project.until_missed(harnesses, suite)
    running.signal(signal.SIGCONT)

    assert running.end() == 0, running.output
    assert_sound(project, suite, repeats=project.repeats_without_agent)


def test_agent_and_harness_stopped_together_go_on(project: Project, suite: int) -> None:
    """Both stopped past the lease, both continued."""
    running = project.start()
    running.until_begun(suite // 3)
    harnesses = victims(running, "harness", project.workers)
    kill_all(harnesses[:1], signal.SIGSTOP)
    running.signal(signal.SIGSTOP)
    project.until_missed(harnesses, suite)
    running.signal(signal.SIGCONT)

    assert running.end() == 0, running.output
    assert_sound(project, suite, repeats=max(1, project.repeats_without_agent))


@pytest.mark.parametrize("percent", [20, 50, 80])
def test_a_killed_agent_resumes_with_the_same_command(project: Project, suite: int, percent: int) -> None:
    """SIGKILL the agent, then `doit` again: only what was in flight runs twice."""
    first = project.start()
    first.until_begun(suite * percent // 100)
    first.signal(signal.SIGKILL)
    assert first.end() == 137
    project.until_left()
    before = len(project.traces())

    second = project.start()

    assert second.end() == 0, second.output
    assert before < suite
    assert_sound(project, suite, repeats=project.repeats_without_agent)


def test_a_changed_source_is_a_new_run(project: Project, suite: int) -> None:
    """After a kill and a change, verdicts of the old sources are not used."""
    first = project.start()
    first.until_begun(suite // 2)
    first.signal(signal.SIGKILL)
    first.end()
    project.write("test_f0.py", (project.root / "test_f0.py").read_text() + "\ndef test_new():\n    pass\n")
    project.trace_file.unlink()

    second = project.start()

    assert second.end() == 0, second.output
    assert len(set(project.traces())) == suite
    assert Counter(project.verdicts().values()) == {"passed": suite + 1}
    project.sweep()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_kindly_and_the_same_command_goes_on(
    project: Project, suite: int, number: int, code: int
) -> None:
    """The run stays open; nothing lives; the rest runs next time."""
    first = project.start()
    first.until_begun(suite // 2)
    first.signal(number)
    assert first.end(20) == code, first.output
    until(lambda: not project.left(), project.left, 5)
    before = len(project.traces())

    second = project.start()

    assert second.end() == 0, second.output
    assert before < suite
    assert_sound(project, suite, repeats=project.workers)


def test_two_signals_end_at_once_and_leave_nothing(project: Project, suite: int) -> None:
    """A second SIGINT does not wait for tests; workers elsewhere are named, and swept when they have ended."""
    project.write("test_long.py", "import time\ndef test_long():\n    time.sleep(15)\n")
    first = project.start()
    first.until_begun(suite // 2)
    first.signal(signal.SIGINT)
    pause(first, 0.05)
    kill_all([first.process.pid], signal.SIGINT)  # It may have ended of the first one already.

    assert first.end(10) == 130, first.output
    if project.left() and project.launcher not in ("local", "ssh"):  # Guards and relays see to it themselves.
        assert "`doit-fleet sweep` removes them" in first.output
        project.sweep()
    until(lambda: not project.left(), project.left, 30)


def test_two_agents_at_once_are_harmless(project: Project, suite: int) -> None:
    """Both end green, and no test has two verdicts."""
    first, second = project.start(), project.start()

    assert [first.end(), second.end()] == [0, 0], first.output + second.output
    assert Counter(project.verdicts().values()) == {"passed": suite}
