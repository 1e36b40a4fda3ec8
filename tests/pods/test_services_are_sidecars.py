"""Services of a suite in pods: ready before tests start, reached on localhost and by name, each worker's own, gone afterwards."""

from __future__ import annotations

from typing import Any

import pytest

from tests.docker.test_services_beside_workers import REDIS
from tests.kubernetes.house import KubernetesProject

pytestmark = pytest.mark.timeout(300)  # Pods of a busy machine take long over everything.


@pytest.fixture
def service(project: KubernetesProject, redis_image: str) -> dict[str, Any]:
    """A redis beside each worker."""
    project.sleepers(files=0, count=0, seconds=0)
    project.write("test_redis.py", REDIS)
    made: dict[str, Any] = {"image": redis_image, "ready": ["redis-cli", "ping"], "ready_timeout_seconds": 20}
    project.suite = {"services": {"cache": made}}
    return made


def test_tests_reach_their_service(project: KubernetesProject, service: dict[str, Any]) -> None:
    """It was probed before the worker began; it is no root and has limits; the run's end ends it."""
    running = project.start("workers.count=1")
    running.until_begun(1)
    (pod,) = project.pods()
    sidecar = pod["spec"]["initContainers"][-1]
    status = pod["status"]["initContainerStatuses"][-1]

    assert running.end() == 0, running.output
    assert (sidecar["name"], sidecar["restartPolicy"]) == ("service-cache", "Always")
    assert set(sidecar["resources"]["limits"]) == {"cpu", "memory"}
    assert (status["started"], status["restartCount"]) == (True, 0)
    assert set(project.verdicts().values()) == {"passed"}
    assert project.left() == []


def test_a_service_that_never_gets_ready_is_told_with_its_name(
    project: KubernetesProject, service: dict[str, Any]
) -> None:
    """The run ends untrustworthy, soon, and says which one it was and what it has printed."""
    service.update(command=["sh", "-c", "echo I am stuck; sleep 60"], ready_timeout_seconds=1)
    running = project.start("workers.count=1")

    assert running.end() == 2, running.output
    assert "service 'cache' did not become ready, and ended with status 137" in running.output
    assert "I am stuck" in running.output
    assert project.left() == []
