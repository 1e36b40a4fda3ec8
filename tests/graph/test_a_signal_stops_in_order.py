"""One signal: an orderly stop, finished tasks remembered, teardown once. Two: the end at once. SIGKILL: no amnesia."""

from __future__ import annotations

import signal
from contextlib import ExitStack

import pytest

from pipeline.graph.stop import Interrupted, Stop
from tests.graph.conftest import Project

TEARDOWN = """
def note(text):
    with open("notes", "a") as file:
        file.write(text + "\\n")

def task_opened():
    return {"actions": [(note, ["open"])], "teardown": [(note, ["close"])]}

def configure(fleet):
    fleet.tasks["compile"].needs("opened")
"""
CODES = [(signal.SIGINT, 130), (signal.SIGTERM, 143)]


@pytest.mark.parametrize("mode", [[], ["-n", "2"]], ids=["serial", "threads"])
@pytest.mark.parametrize(("number", "code"), CODES)
def test_an_action_is_told_and_ends_by_itself(
    project: Project, number: signal.Signals, code: int, mode: list[str]
) -> None:
    """An action with an asyncio loop hears of the signal, in the main thread or in a runner's."""
    project.write("dodo.py", TEARDOWN)
    process = project.start(*mode, "hang=launch")
    project.wait_for("hanging", process)

    ended, said = project.end(process, number)

    assert (code, f"launch: stopped by {number.name}") == (ended, said.splitlines()[-1])
    assert [str(int(number))] == project.logged("heard")
    assert "open\nclose\n" == (project.folder / "notes").read_text()
    project.doit()
    assert ["launch", "gather"] == project.ran()


@pytest.mark.parametrize("mode", [[], ["-n", "2"]], ids=["serial", "threads"])
@pytest.mark.parametrize(("number", "code"), CODES)
def test_an_action_that_does_not_listen_is_interrupted(
    project: Project, number: signal.Signals, code: int, mode: list[str]
) -> None:
    """Nobody promised to stop, so the run ends without waiting."""
    project.write("dodo.py", "def configure(fleet):\n    fleet.tasks['stuck'].needs('compile')\n")
    process = project.start(*mode, "stuck")
    project.wait_for("hanging", process)

    ended, said = project.end(process, number)

    assert code == ended
    assert "Traceback" not in said
    project.doit("compile")
    assert [] == project.ran()


def test_an_interrupted_shell_task_leaves_no_child(project: Project) -> None:
    """The process of a user's shell task ends with it, so that nothing waits for it."""
    project.write(
        "dodo.py", "def task_sleep():\n    return {'actions': ['echo hanging - >> $SAMPLE_LOG; exec sleep 60']}\n"
    )
    process = project.start("sleep")
    project.wait_for("hanging", process)

    assert (143, "") == project.end(process, signal.SIGTERM)


def test_a_second_signal_ends_at_once(project: Project) -> None:
    """Even while an action that heard the first one takes its time."""
    project.write(
        "dodo.py",
        "import time\n"
        "def late(fleet):\n    time.sleep(60)\n"
        "def slow(stop):\n"
        "    print('hanging', file=open(__import__('os').environ['SAMPLE_LOG'], 'a'))\n"
        "    stop.signal_number or time.sleep(60)\n"
        "    time.sleep(60)\n"
        "def configure(fleet):\n"
        "    from pipeline.graph.task import Action\n"
        "    fleet.tasks['compile'].configure(lambda spec: spec.evolve(actions=(Action(slow),)))\n",
    )
    process = project.start("compile")
    project.wait_for("hanging", process)

    assert 143 == project.end(process, signal.SIGINT, signal.SIGTERM)[0]


def test_a_killed_run_remembers_what_was_finished(project: Project) -> None:
    """SIGKILL half way: the tasks before it are not run again, the one that ran is."""
    process = project.start("hang=launch")
    project.wait_for("hanging", process)
    project.end(process, signal.SIGKILL)

    project.doit()

    assert ["launch", "gather"] == project.ran()


def test_a_run_killed_while_running_again_counts_as_unfinished(project: Project) -> None:
    """An earlier success does not hide that the task was being redone."""
    project.doit()
    process = project.start("-a", "hang=gather")
    project.wait_for("hanging", process)
    project.end(process, signal.SIGKILL)

    project.doit()

    assert ["gather"] == project.ran()


def test_two_at_once_keep_both_results(project: Project) -> None:
    """While one doit runs (and has failed a task), another one's results are kept, and so are its own."""
    project.write("dodo.py", "def task_bad():\n    return {'actions': ['false']}\n")
    first = project.start("--continue", "bad", "image:1", "hang=image:1")
    project.wait_for("hanging", first)
    log = project.logged("ran")

    project.doit("image:2")
    first.send_signal(signal.SIGTERM)
    assert 143 == first.wait(20)
    first.communicate()

    assert ["compile", "image:1"] == log
    project.doit("image:2", "image:1")
    assert ["image:1"] == project.ran()


def test_who_heeds_a_stop_is_waited_for_even_when_done_before() -> None:
    """The main thread may begin to wait for a result when the action has heard, ended, and not yet handed it over."""
    stop = Stop()
    stop.interruptible = False
    with stop.attending():
        stop.request(signal.SIGINT)

    with stop.waiting():
        pass
    with pytest.raises(Interrupted), _unheeded().waiting():
        pass


def test_who_heeds_a_stop_may_be_done_before_everybody_is_told() -> None:
    """An action in another thread ends while the handler is still at it: its result is waited for all the same."""
    stop = Stop()
    attending = ExitStack()
    attending.enter_context(stop.attending())

    with stop.waiting(), stop.calling(lambda number: attending.close()):
        stop.request(signal.SIGINT)


def _unheeded() -> Stop:
    stop = Stop()
    stop.interruptible = False
    stop.request(signal.SIGINT)
    return stop
