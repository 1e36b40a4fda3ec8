"""Tests that need a resource alone never run twice at once, whoever is frozen or killed."""

from __future__ import annotations

from itertools import groupby

import pytest

from tests.faults.checks import assert_never_twice, ticks
from tests.faults.project import Project, until

EXCLUSIVE = """\
import os, pathlib, socket, time, uuid
import pytest
from trace_support import trace

PLACE = pathlib.Path(os.environ["FLEET_TRACE"]).parent / "ticks"

@pytest.mark.fleet_exclusive("database")
@pytest.mark.parametrize("n", range(2))
def test_holds(n):
    trace("holds[%d]" % n)
    me = uuid.uuid4().hex
    for _ in range(40):
        fd = os.open(PLACE, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        os.write(fd, f"{me} {os.getpid()} {socket.gethostname()}\\n".encode())
        os.close(fd)
        time.sleep(0.05)
"""


def until_held(project: Project, times: int) -> list[str]:
    """Wait until that many runs of exclusive tests have begun and the latest has gone on for a moment."""

    def held() -> bool:
        runs = [list(run) for _, run in groupby(ticks(project), lambda tick: tick[0])]
        return len(runs) >= times and len(runs[-1]) > 3

    until(held, lambda: f"{times} runs of exclusive tests have begun: {ticks(project)[-3:]}")
    return ticks(project)[-1]


@pytest.mark.parametrize("fault", ["freeze", "kill"])
def test_an_exclusive_test_never_runs_twice_at_once(project: Project, fault: str) -> None:
    """Who runs it is frozen, and thawed when a successor runs it; or is killed. No two runs overlap."""
    project.busy()
    project.sleepers(files=2, count=3, seconds=0.1)
    project.write("test_exclusive.py", EXCLUSIVE)
    running = project.start()
    thawed, pid, host = until_held(project, 1)
    if fault == "freeze":
        project.freeze(int(pid), host)
        until_held(project, 2)
        project.thaw(int(pid), host)
    else:
        project.kill(int(pid), host)

    assert running.end() == 0, running.output
    assert len({run for run, *_ in ticks(project)}) == 3  # One of the two was begun again.
    stood_still = fault == "freeze" and project.launcher != "local"  # There only the test is frozen, not its guard.
    assert_never_twice(project, thawed if stood_still else "")
    assert set(project.verdicts().values()) == {"passed"}
