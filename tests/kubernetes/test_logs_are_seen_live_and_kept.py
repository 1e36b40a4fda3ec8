"""What workers in pods write is seen while they run, and is there afterwards, however they ended."""

from __future__ import annotations

import pytest

from tests.engines.kubernetes import disruptions
from tests.faults.project import Running, until
from tests.kubernetes.house import KubernetesProject

pytestmark = pytest.mark.timeout(240)
SAYS = """\
import os, time, pytest
from trace_support import trace

@pytest.mark.parametrize("n", range(8))
def test_says(n):
    trace(f"says-{n}")
    os.write(2, f"line {n} \\x1b[31m of {os.getpid()}\\n".encode())
    time.sleep(1.5)
"""


@pytest.fixture
def saying(project: KubernetesProject) -> KubernetesProject:
    """A project whose tests say something aloud."""
    project.sleepers(files=0, count=0, seconds=0)
    project.write("test_says.py", SAYS)
    project.write("pytest.ini", "[pytest]\naddopts = -s\n")
    project.arguments = ("workers.count=1", "workers.lease_seconds=6s")
    return project


def said(project: KubernetesProject, *arguments: str) -> str:
    """What `logs` prints."""
    done = project.start("logs", *arguments)
    assert done.end() == 0, done.output
    return done.output


def begun(project: KubernetesProject, tests: int) -> Running:
    """A run in which so many tests have begun."""
    running = project.start()
    running.until_begun(tests)
    return running


def test_a_worker_is_followed_from_its_first_to_its_last_line(saying: KubernetesProject) -> None:
    """Each line once, as the pod prints it; afterwards all its logs come from the store."""
    running = begun(saying, 1)

    (pod,) = saying.running()
    listed = said(saying)
    assert "w0-1" in listed and "lives" in listed and pod["metadata"]["name"] in listed

    following = saying.start("logs", "--follow", "w0-1")
    until(lambda: "claims batch" in following.output, lambda: following.output)
    so_far = said(saying, "w0-1")
    assert "worker w0-1 begins" in so_far and "finished: 8 tests" not in so_far

    assert running.end() == 0, running.output
    assert following.end() == 0, following.output
    lines = following.output.splitlines()
    assert sum("worker w0-1 begins" in line for line in lines) == 1
    assert sum("claims batch" in line for line in lines) == 8
    assert "finished: 8 tests" in lines[-1]

    afterwards = said(saying, "w0-1")
    assert "outputs/w0-1/logs/supervisor.log" in afterwards and "finished: 8 tests" in afterwards
    assert sum(f"line {n}  of" in afterwards for n in range(8)) == 8
    assert "\x1b" not in afterwards
    assert "ended" in said(saying) and "finished" in said(saying)


def test_a_worker_that_is_told_to_stop_sends_its_logs_home(saying: KubernetesProject) -> None:
    """Within the seconds it has; why it ended is told with its name."""
    running = begun(saying, 2)
    (pod,) = saying.running()
    disruptions.evict(saying.cluster, pod["metadata"]["name"])
    assert running.end() == 0, running.output

    text = said(saying, "w0-1")
    assert "outputs/w0-1/logs/supervisor.log" in text and "claims batch" in text
    assert "line 0  of" in text
    (row,) = [line for line in said(saying).splitlines() if line.startswith("  w0-1 ")]
    assert "evicted" in row


def test_of_a_worker_that_was_killed_what_it_printed_is_kept(saying: KubernetesProject) -> None:
    """The agent that watched it has it; nothing of it came to the store."""
    running = begun(saying, 2)
    (pod,) = saying.running()
    saying.on_node(pod).kill()
    assert running.end() == 0, running.output

    text = said(saying, "w0-1")
    assert "outputs/w0-1" not in text
    assert f"pods/{pod['metadata']['name']}.log" in text and "claims batch" in text
