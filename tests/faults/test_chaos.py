"""Workers, nodes, stores and agents are hurt at random by a seed, again and again in one run: no false failure.

`FLEET_CHAOS_SECONDS` makes it longer (600 for a good look), `FLEET_CHAOS_SEED` another one.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from tests.docker.house import GONE, DockerProject
from tests.engines.errors import EngineTrouble
from tests.engines.faults import Answer, LostAnswer, Slow
from tests.engines.kubernetes import disruptions
from tests.engines.kubernetes.containers import PodOnNode
from tests.engines.proxy import FaultProxy
from tests.faults.checks import assert_sound
from tests.faults.conftest import DOCKER, OWN_CLUSTER
from tests.faults.project import Project, Running, kill_all, until
from tests.kubernetes.house import KubernetesProject, Pod

SECONDS = float(os.environ.get("FLEET_CHAOS_SECONDS", "20"))
SECONDS_OF_PODS = float(os.environ.get("FLEET_CHAOS_SECONDS", "60"))
SEED = int(os.environ.get("FLEET_CHAOS_SEED", "4"))
LONGEST_END_SECONDS = 150
IN_FLIGHT = 2
"""What one fault may cost: a test in each worker."""


class Chaos:
    """One run under fire. Subclasses know the faults that a launcher's workers may suffer."""

    def __init__(self, project: Project, seed: int) -> None:
        self.project, self.choose = project, random.Random(seed)
        self.running = project.start()
        self.faults: list[str] = []

    def choices(self) -> list[Callable[[], None]]:
        """All that may happen."""
        return [self.kill_harness, self.kill_agent]

    def kill_harness(self) -> None:
        """SIGKILL from outside its place."""
        harnesses = self.running.family()["harness"]
        kill_all([self.choose.choice(harnesses)] if harnesses else [])

    def kill_agent(self) -> None:
        """SIGKILL, and the same command again."""
        self.running.signal(signal.SIGKILL)
        self.running.end()
        self.running = self.project.start()

    def rage(self, seconds: float) -> None:
        """One fault after the other until the time is over, or the run."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not is_over(self.running):
            fault = self.choose.choice(self.choices())
            self.faults.append(fault.__name__)
            fault()
            pause(self.running, self.choose.uniform(1, 3))


class ContainerChaos(Chaos):
    """What may happen to containers."""

    project: DockerProject

    def choices(self) -> list[Callable[[], None]]:
        """All that may happen."""
        return [*super().choices(), self.kill_container, self.pause_container]

    def kill_container(self) -> None:
        """SIGKILL by the daemon."""
        self._any_container(lambda one: one.kill())

    def pause_container(self) -> None:
        """For ever, as far as the test goes."""
        self._any_container(lambda one: one.pause())

    def _any_container(self, do: Callable[..., None]) -> None:
        living = [one for one in self.project.running() if one.status == "running"]
        if living:
            try:
                do(self.choose.choice(living))
            except GONE:
                self.faults.append("too late")


class PodChaos(Chaos):
    """What may happen to pods, their nodes, their cluster and their store."""

    project: KubernetesProject

    def __init__(self, project: KubernetesProject, proxy: FaultProxy, seed: int) -> None:
        self.proxy = proxy
        self.frozen: list[PodOnNode] = []
        super().__init__(project, seed)

    def choices(self) -> list[Callable[[], None]]:
        """All that may happen."""
        pods = [self.delete_pod, self.evict_pod, self.delete_pod_by_force, self.kill_pod, self.freeze_pod]
        others = [self.lose_node, self.cut_node_off, self.restart_api, self.restart_etcd, self.trouble_store]
        return [*super().choices(), *pods, *others]

    def delete_pod(self) -> None:
        """With time to end well."""
        self._any_pod(lambda pod: disruptions.delete(self.project.cluster, name_of(pod)))

    def evict_pod(self) -> None:
        """By the Eviction API."""
        self._any_pod(lambda pod: disruptions.evict(self.project.cluster, name_of(pod)))

    def delete_pod_by_force(self) -> None:
        """Its object is gone before it is."""
        self._any_pod(lambda pod: disruptions.force_delete(self.project.cluster, name_of(pod)))

    def kill_pod(self) -> None:
        """SIGKILL its first process."""
        self._any_pod(lambda pod: self.project.on_node(pod).kill())

    def freeze_pod(self) -> None:
        """For longer than a lease; in control groups of version 1 nobody could end it before it is thawed."""

        def freeze(pod: Pod) -> None:
            self.frozen.append(self.project.on_node(pod))
            self.frozen[-1].freeze()

        self._any_pod(freeze)

    def thaw(self) -> None:
        """All that were frozen."""
        for one in self.frozen:
            one.thaw()

    def lose_node(self) -> None:
        """No power for a moment."""
        node = self._any_node()
        node.lose_power()
        pause(self.running, 3)
        node.start()

    def cut_node_off(self) -> None:
        """No network for longer than a lease."""
        node = self._any_node()
        node.cut_off()
        pause(self.running, 8)
        node.mend()

    def restart_api(self) -> None:
        """Away for some seconds."""
        self._restart("apiserver")

    def restart_etcd(self) -> None:
        """Away for some seconds."""
        self._restart("etcd")

    def trouble_store(self) -> None:
        """Some requests fail, are slow, or are answered to nobody."""
        for fault in (Answer(status=503), Slow(delay_seconds=2), LostAnswer()):
            self.proxy.add(fault, times=3, skip=2)

    def _restart(self, name: str) -> None:
        part = self.project.cluster.engine.parts[name]
        part.kill()
        pause(self.running, 2)
        part.start()

    def _any_node(self) -> Any:
        return self.choose.choice(list(self.project.cluster.engine.nodes.values()))

    def _any_pod(self, do: Callable[[Pod], None]) -> None:
        living = self.project.running()
        if living:
            with suppress(EngineTrouble):  # It was too late.
                do(self.choose.choice(living))


def name_of(pod: Pod) -> str:
    """In its namespace."""
    return str(pod["metadata"]["name"])


def pause(running: Running, seconds: float) -> None:
    """Let a run go on for a while, or to its end."""
    deadline = time.monotonic() + seconds
    until(lambda: is_over(running) or time.monotonic() > deadline, "a pause")


def is_over(running: Running) -> bool:
    """Whether the agent has ended by itself."""
    return running.process.poll() is not None


def assert_survived(chaos: Chaos, tests: int, *, repeats: int) -> None:
    """One good verdict for every test, repeats no more than all faults together may cost, nothing left."""
    print(chaos.faults)
    assert chaos.running.end(LONGEST_END_SECONDS) == 0, (chaos.faults, chaos.running.output)
    assert_sound(chaos.project, tests, repeats=repeats * len(chaos.faults))
    until(lambda: not chaos.project.left(), lambda: (chaos.faults, chaos.project.left()), 30)


@pytest.mark.timeout(240 + 3 * SECONDS)
@pytest.mark.parametrize("project", [DOCKER], indirect=True)
def test_any_mixture_of_faults_is_no_failure(project: DockerProject) -> None:
    """Containers are killed and paused, harnesses and agents killed."""
    project.busy()
    tests = project.sleepers(files=8, count=max(4, int(SECONDS / 2.5)), seconds=0.4)
    chaos = ContainerChaos(project, SEED)
    chaos.running.until_begun(2)
    chaos.rage(SECONDS)

    assert_survived(chaos, tests, repeats=IN_FLIGHT)


@pytest.mark.timeout(300 + 3 * SECONDS_OF_PODS)
@pytest.mark.parametrize("project", [OWN_CLUSTER], indirect=True)
def test_any_mixture_of_faults_in_a_cluster_is_no_failure(
    project: KubernetesProject, fault_proxy: Callable[[str], FaultProxy]
) -> None:
    """Pods, nodes, parts of the cluster, the store and agents, all of them again and again."""
    proxy = fault_proxy(project.bucket.url.removeprefix("http://"))
    project.store_url = project.cluster.reachable(proxy.url)
    project.busy()
    tests = project.sleepers(files=8, count=max(4, int(SECONDS_OF_PODS / 5)), seconds=0.4)
    chaos = PodChaos(project, proxy, SEED)
    chaos.running.until_begun(2)
    chaos.rage(SECONDS_OF_PODS)
    chaos.running.end(LONGEST_END_SECONDS)
    chaos.thaw()

    # What was in flight, and what had ended since the last flush to a store that is far.
    assert_survived(chaos, tests, repeats=IN_FLIGHT * (1 + 3))
