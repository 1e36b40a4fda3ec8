"""The faults that only containers know, on the same project as all others."""

from __future__ import annotations

from collections import Counter
from functools import partial

import pytest

from tests.docker.house import DockerProject
from tests.faults.checks import raw_verdicts
from tests.faults.conftest import DOCKER
from tests.faults.project import until

pytestmark = pytest.mark.parametrize("project", [DOCKER], indirect=True)

HOG = """\
from trace_support import trace

def test_hog():
    trace("hog")
    {before}
    data = []
    while True:
        data.append(b"x" * (1 << 22))
"""
OFFER_THE_FIRST_PROCESS = 'open("/proc/1/oom_score_adj", "w").write("1000")'
"""The kernel kills the container's first process before the one that eats, and with it the container."""


@pytest.mark.parametrize("victims", [1, 2])
def test_killing_containers_is_no_failure(project: DockerProject, victims: int) -> None:
    """`docker kill` of one or all: proven at once, others take their place, only what was in flight runs again."""
    tests = project.busy()
    running = project.start()
    running.until_begun(tests // 3)
    for container in project.running()[:victims]:
        container.kill()

    assert running.end() == 0, running.output
    assert Counter(project.verdicts().values()) == {"passed": tests}
    assert len(project.traces()) - tests <= victims
    assert [one["proof"] for one in project.events("WorkerLost")] == [True] * victims


def test_a_container_paused_beyond_its_lease_is_replaced(project: DockerProject) -> None:
    """What it would still say does not count, and it is gone at the end."""
    tests = project.busy()
    running = project.start()
    running.until_begun(tests // 3)
    project.running()[0].pause()

    assert running.end() == 0, running.output
    assert Counter(project.verdicts().values()) == {"passed": tests}
    # What was in flight, and what had ended since the last flush: a frozen container's last words are not asked for.
    assert len(project.traces()) - tests <= 3
    assert [one["proof"] for one in project.events("WorkerLost")] == [False]


def test_a_test_that_eats_all_memory_is_to_blame(project: DockerProject) -> None:
    """The kernel kills its harness: the verdict is crashed and says why; all others pass."""
    project.busy()
    tests = project.sleepers(files=2, count=4, seconds=0.1)
    for number in range(2, 8):
        (project.root / f"test_f{number}.py").unlink()
    project.write("test_hog.py", HOG.format(before="pass"))
    running = project.start("workers.memory=192Mi")

    assert running.end() == 1, running.output
    found = raw_verdicts(project)
    verdict, message = found.pop("test_hog.py::test_hog")
    assert (verdict, "memory" in message) == ("crashed", True), message
    assert Counter(found.values()) == {("passed", ""): tests}


def test_a_container_out_of_memory_convicts_only_with_proof(project: DockerProject) -> None:
    """The container's first process is the kernel's victim: lost once without blame, then crashed, the rest passed."""
    project.busy()
    tests = project.sleepers(files=2, count=4, seconds=0.1)
    for number in range(2, 8):
        (project.root / f"test_f{number}.py").unlink()
    project.write("test_hog.py", HOG.format(before=OFFER_THE_FIRST_PROCESS))
    running = project.start("workers.memory=192Mi")

    assert running.end() == 1, running.output
    found = raw_verdicts(project)
    verdict, message = found.pop("test_hog.py::test_hog")
    assert (verdict, "memory" in message) == ("crashed", True), message
    assert Counter(found.values()) == {("passed", ""): tests}
    assert {one["cause"] for one in project.events("WorkerLost")} == {"out-of-memory"}
    assert project.traces().count("hog") == 3  # The first time it was not certain that it was the one in flight.


def test_killed_again_and_again_convicts_nobody(project: DockerProject) -> None:
    """The container of the same test is killed three times: lost, never crashed, and the run is not trustworthy."""
    project.busy()
    project.write(
        "test_slow.py",
        "import time\nfrom trace_support import trace\ndef test_slow():\n    trace('slow')\n    time.sleep(15)\n",
    )

    def begun(times: int) -> bool:
        return project.traces().count("slow") == times

    running = project.start("workers.max_losses_per_test=2", "suites.unit.paths=test_slow.py", "workers.count=1")
    for times in (1, 2):
        until(partial(begun, times), f"the test begins time {times}")
        project.running()[0].kill()

    assert running.end() == 2, running.output
    assert [verdict for verdict, _ in raw_verdicts(project).values()] == ["lost"]


def test_containers_of_a_lost_agent_end_and_are_swept(project: DockerProject) -> None:
    """Nobody ever comes back: they finish the tests, end for want of work, and `sweep` removes all."""
    tests = project.busy()
    running = project.start()
    running.until_begun(tests // 3)
    running.signal(9)
    assert running.end() == 137

    project.until_missed([], tests)
    project.sweep()

    assert project.left() == []
