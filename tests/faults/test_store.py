"""The store on S3 is away, stumbles, is slow, loses answers and breaks off, for agent and pods at once: no false failure."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from tests.engines.faults import Answer, Cut, LostAnswer, Slow
from tests.engines.proxy import FaultProxy
from tests.faults.checks import assert_sound
from tests.faults.conftest import KUBERNETES
from tests.faults.project import Running, until
from tests.kubernetes.house import KubernetesProject

pytestmark = pytest.mark.parametrize("project", [KUBERNETES], indirect=True)


def stumble(proxy: FaultProxy) -> None:
    """Every fifth request or so is answered with an error of the server's."""
    for status in (500, 503, 502, 500):
        proxy.add(Answer(status=status), times=8, skip=5)


def slow(proxy: FaultProxy) -> None:
    """Some requests take 5 s."""
    proxy.add(Slow(delay_seconds=5), times=6)


def lose(proxy: FaultProxy) -> None:
    """Values are written and nobody hears of it."""
    proxy.add(LostAnswer(), method="PUT", times=15)


def cut(proxy: FaultProxy) -> None:
    """Connections break within answers and within requests."""
    proxy.add(Cut(answer_bytes=10), method="GET", times=10)
    proxy.add(Cut(request_bytes=10), method="PUT", times=10)


TROUBLES = (stumble, slow, lose, cut)


def through(proxy: FaultProxy, project: KubernetesProject) -> None:
    """Let agent and pods reach the store through the proxy."""
    project.store_url = project.cluster.reachable(proxy.url)


def test_a_store_that_stumbles_is_no_failure(
    project: KubernetesProject, fault_proxy: Callable[[str], FaultProxy]
) -> None:
    """One trouble after the other while tests run: nobody is lost and nothing runs twice."""
    proxy = fault_proxy(project.bucket.url.removeprefix("http://"))
    through(proxy, project)
    project.busy()
    tests = project.sleepers(files=8, count=8, seconds=0.3)
    running = project.start("workers.lease_seconds=30s")
    for number, trouble in enumerate(TROUBLES):
        running.until_begun(tests * (number + 1) // 6)
        trouble(proxy)

    assert running.end(150) == 0, running.output
    assert_sound(project, tests, repeats=0)
    faults = {type(request.fault) for request in proxy.requests}
    assert faults >= {Answer, Slow, LostAnswer, Cut}


def test_a_store_that_is_away_fences_pods_and_is_no_failure(
    project: KubernetesProject, fault_proxy: Callable[[str], FaultProxy]
) -> None:
    """Longer than a lease: pods end without blame, no other takes their work meanwhile, and all goes on when it is back."""
    upstream = project.bucket.url.removeprefix("http://")
    proxy, tests = fault_proxy(upstream), project.busy()
    through(proxy, project)
    running = project.start()
    running.until_begun(tests // 3)
    proxy.upstream = "127.0.0.1:1"
    proxy.break_connections()
    harnesses = running.family()["harness"]
    until(partial(are_gone, running, harnesses), "harnesses end when their permission does", 40)
    proxy.upstream = upstream

    assert running.end(150) == 0, running.output
    assert_sound(project, tests, repeats=project.workers * (1 + 5))


def are_gone(running: Running, pids: list[int]) -> bool:
    """Whether none of these lives."""
    return not set(pids) & set(running.project.processes())
