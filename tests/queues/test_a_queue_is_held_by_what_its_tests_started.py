"""A queue is free when nothing of its tests lives any more, also when guard, harness and zygote are killed together."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.harness.queue_place import FOLDER, is_lived_in
from tests.any_command.bench import Bench

TEST = """\
import os, signal, subprocess, sys, time
from pathlib import Path

trace = os.open("../trace", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
if sys.argv[1:]:
    for _ in range(60):
        os.write(trace, b"child\\n")
        time.sleep(0.1)
    sys.exit(0)
os.write(trace, b"test\\n")
if not Path("../once").exists():
    Path("../once").touch()
    start = {start}
    time.sleep(0.5)
    chain = [os.getppid()]
    while len(chain) < 3:
        chain.append(int(Path("/proc/%d/stat" % chain[-1]).read_text().rpartition(")")[2].split()[1]))
    for pid in chain[::-1]:
        os.kill(pid, signal.SIGSTOP)
    for pid in chain:
        os.kill(pid, signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)
time.sleep(0.5)  # So that a child that lives says so.
"""
POPEN = 'subprocess.Popen([sys.executable, __file__, "child"], start_new_session=True, close_fds={close}{more})'


@pytest.mark.parametrize(
    "start",
    [POPEN.format(close=True, more=""), POPEN.format(close=False, more=", env={}")],
    ids=["by its environment", "by the lock"],
)
def test_a_child_in_a_session_of_its_own_keeps_the_queue(bench: Bench, start: str) -> None:
    """The test runs again in its queue when what it had started has ended, though a lease is long over.

    Now and then the agent finds that child below the guard before the guard is dead, and kills it.
    """
    bench.write(holding__py=TEST.format(start=start))
    bench.suite(
        f'rows = [{{ name = "t" }}]\ncommand = "exec {sys.executable} holding.py"\n[tool.doit-fleet.local.queues.q1]\n'
    )

    done = bench.fleet("workers.lease_seconds=2s", "workers.max_losses=100", "workers.count=auto")

    assert done.code == 0, done.output
    assert bench.ran.count("test") == 2
    assert bench.ran[-1] == "test"


def test_what_was_started_in_a_queue_is_seen(tmp_path: Path) -> None:
    """By the whole value of the variable, as long as it lives."""
    folder = str(tmp_path / "q1")
    with subprocess.Popen(["sleep", "60"], env={FOLDER: folder, "PATH": "/bin:/usr/bin"}) as process:
        try:
            until = time.monotonic() + 10
            while not is_lived_in(folder) and time.monotonic() < until:
                time.sleep(0.01)  # Until it has become that program.
            assert is_lived_in(folder)
            assert not is_lived_in(str(tmp_path / "q"))
        finally:
            process.kill()
    assert not is_lived_in(folder)
