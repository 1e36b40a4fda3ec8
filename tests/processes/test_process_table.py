"""Processes by id and start time: nobody is taken for another, nobody innocent is ended."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid

from pipeline.adapters import process_table
from pipeline.adapters.clock import SystemClock
from pipeline.harness.lineage import children, descendants


def sleeper(**env: str) -> subprocess.Popen[bytes]:
    """A process that waits, once it has surely been started."""
    code = "import sys, time; print(1, flush=True); time.sleep(1000)"
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env={**os.environ, **env})
    assert child.stdout is not None
    child.stdout.readline()
    child.stdout.close()
    return child


def test_an_id_used_again_is_another_process() -> None:
    """The start time tells; a wrong one is ended by nobody."""
    child = sleeper()
    try:
        started = process_table.start_time(child.pid)
        assert process_table.is_alive(child.pid, started)
        assert not process_table.is_alive(child.pid, "1")
        assert process_table.end_all([(child.pid, "1")])
        assert child.poll() is None
        assert process_table.end_all([(child.pid, started)])
    finally:
        child.kill()
        child.wait()
    assert child.returncode == -9


def test_a_zombie_has_ended() -> None:
    """Dead and not waited for yet is dead."""
    child = sleeper()
    started = process_table.start_time(child.pid)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)

    assert not process_table.is_alive(child.pid, started)
    child.wait()


def test_the_marked_are_found_and_ended() -> None:
    """By a variable in the environment they were started with; this process itself never."""
    mark = uuid.uuid4().hex
    child = sleeper(DOIT_FLEET_TEST=mark)
    assert list(process_table.marked(f"DOIT_FLEET_TEST={mark}")) == [child.pid]
    assert list(process_table.marked(f"DOIT_FLEET_TEST={mark[:-1]}")) == []

    assert process_table.end_all([], f"DOIT_FLEET_TEST={mark}")
    assert child.wait() == -9


def test_children_are_found_with_and_without_the_kernels_list() -> None:
    """The fall-back for kernels without /proc/<pid>/task/<tid>/children gives the same."""
    from pipeline.harness import lineage

    child = sleeper()
    try:
        assert child.pid in children(os.getpid())
        assert child.pid in lineage._children_by_search(os.getpid())
        assert descendants([os.getpid()]) >= {os.getpid(), child.pid}
    finally:
        child.kill()
        child.wait()


def test_the_clock_counts_on() -> None:
    """Monotonic time does not go backwards and is not the wall clock."""
    clock = SystemClock()

    assert clock.monotonic() <= clock.monotonic()
    assert clock.wall() > 1_600_000_000 > clock.monotonic()
