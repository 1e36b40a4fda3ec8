"""Containers and harnesses are killed and paused and agents killed and started again, at random by a seed: no false failure.

`FLEET_CHAOS_SECONDS` makes it longer, `FLEET_CHAOS_SEED` another one.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable

import pytest

from tests.docker.house import GONE, DockerProject
from tests.faults.conftest import DOCKER
from tests.faults.project import Running, kill_all, until

SECONDS = float(os.environ.get("FLEET_CHAOS_SECONDS", "20"))
SEED = int(os.environ.get("FLEET_CHAOS_SEED", "4"))


class Chaos:
    """One run under fire."""

    def __init__(self, project: DockerProject, choose: random.Random) -> None:
        self.project, self.choose = project, choose
        self.running = project.start()
        self.faults: list[str] = []

    def kill_container(self) -> None:
        """SIGKILL by the daemon."""
        self._any_container(lambda one: one.kill())

    def pause_container(self) -> None:
        """For ever, as far as the test goes."""
        self._any_container(lambda one: one.pause())

    def kill_harness(self) -> None:
        """SIGKILL from outside the container."""
        harnesses = self.running.family()["harness"]
        kill_all([self.choose.choice(harnesses)] if harnesses else [])

    def kill_agent(self) -> None:
        """SIGKILL, and the same command again."""
        self.running.signal(signal.SIGKILL)
        self.running.end()
        self.running = self.project.start()

    def _any_container(self, do: Callable[..., None]) -> None:
        living = [one for one in self.project.running() if one.status == "running"]
        if living:
            try:
                do(self.choose.choice(living))
            except GONE:
                self.faults.append("too late")

    def step(self) -> None:
        """One fault."""
        fault = self.choose.choice([self.kill_container, self.pause_container, self.kill_harness, self.kill_agent])
        self.faults.append(fault.__name__)
        fault()


def pause(running: Running, seconds: float) -> None:
    """Let a run go on for a while, or to its end."""
    deadline = time.monotonic() + seconds
    until(lambda: is_over(running) or time.monotonic() > deadline, "a pause")


def is_over(running: Running) -> bool:
    """Whether the agent has ended by itself."""
    return running.process.poll() is not None


@pytest.mark.timeout(240 + 3 * SECONDS)
@pytest.mark.parametrize("project", [DOCKER], indirect=True)
def test_any_mixture_of_faults_is_no_failure(project: DockerProject) -> None:
    """One good verdict for every test, repeats no more than all faults together may cost, nothing left."""
    project.busy()
    tests = project.sleepers(files=8, count=max(4, int(SECONDS / 2.5)), seconds=0.4)
    chaos = Chaos(project, random.Random(SEED))
    chaos.running.until_begun(2)
    until_time = time.monotonic() + SECONDS
    while time.monotonic() < until_time and not is_over(chaos.running):
        chaos.step()
        pause(chaos.running, chaos.choose.uniform(1, 3))

    assert chaos.running.end(150) == 0, (chaos.faults, chaos.running.output)
    assert Counter(project.verdicts().values()) == {"passed": tests}, chaos.faults
    # A paused container costs what was in flight and what was not flushed.
    assert len(project.traces()) - tests <= 2 * len(chaos.faults), chaos.faults
    until(lambda: not project.left(), lambda: (chaos.faults, project.left()), 15)
