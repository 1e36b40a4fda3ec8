"""Parts of the cluster go away for a while, and what nodes need to start pods: no false failure, and the run goes on."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.engines.faults import Answer
from tests.engines.proxy import FaultProxy
from tests.faults.checks import assert_sound
from tests.faults.conftest import KUBERNETES, OWN_CLUSTER
from tests.faults.project import until
from tests.kubernetes.house import KubernetesProject

AWAY_SECONDS = 30


@pytest.mark.parametrize("project", [OWN_CLUSTER], indirect=True)
def test_a_control_plane_that_is_away_is_no_failure(project: KubernetesProject) -> None:
    """Etcd is killed and starts again, then the API server is away for half a minute: pods go on, nothing runs twice."""
    project.busy()
    tests = project.sleepers(files=8, count=8, seconds=0.3)
    running = project.start()
    running.until_begun(tests // 8)
    etcd, server = (project.cluster.engine.parts[name] for name in ("etcd", "apiserver"))
    etcd.kill()
    etcd.start()
    running.until_begun(tests // 4)
    server.kill()
    gone = time.monotonic()
    until(lambda: len(set(project.traces())) == tests, "pods go on without the API server")
    until(lambda: time.monotonic() - gone > AWAY_SECONDS, "half a minute")
    server.start()

    assert running.end() == 0, running.output
    assert_sound(project, tests, repeats=0)


@pytest.mark.parametrize("project", [KUBERNETES], indirect=True)
def test_a_registry_that_is_away_while_pods_pull_is_waited_for(
    project: KubernetesProject, fault_proxy: Callable[[str], FaultProxy]
) -> None:
    """Nobody answers, then with 503 for a while: pods wait with the node's word for it, and start when it is well."""
    proxy, upstream = fault_proxy(project.registry), project.registry
    project.registry, tests = proxy.address, project.busy()
    assert project.start("push").end() == 0
    proxy.add(Answer(status=503), method="GET", path="/blobs/", times=4)  # The agent gets none.
    running = project.start()
    until(lambda: any(request.status == 503 for request in proxy.requests), lambda: f"a pull\n{running.output}")
    proxy.upstream = "127.0.0.1:1"
    until(lambda: "pull" in running.output, lambda: f"a pod that waits\n{running.output}")
    proxy.upstream = upstream

    assert running.end(150) == 0, running.output
    assert_sound(project, tests, repeats=0)
