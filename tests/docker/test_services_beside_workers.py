"""Services: ready before tests start, each worker's own, reached on localhost and by name, gone afterwards."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from tests.docker.house import DockerProject
from tests.faults.project import until

pytestmark = pytest.mark.timeout(240)  # Containers of a busy machine take long over everything.

REDIS = """\
import os, socket, time
from trace_support import trace

def ask(host, line):
    with socket.create_connection((host, 6379), 5) as peer:
        peer.sendall(line + b"\\r\\n")
        return peer.recv(100)

def test_by_address():
    assert ask("127.0.0.1", b"SET here yes") == b"+OK\\r\\n"

def test_by_name():
    assert ask("cache", b"PING") == b"+PONG\\r\\n"

def test_long():
    trace("long")
    time.sleep(2)
"""


@pytest.fixture
def service(project: DockerProject, redis_image: str) -> dict[str, Any]:
    """A redis beside each worker."""
    project.sleepers(files=0, count=0, seconds=0)
    project.write("test_redis.py", REDIS)
    made: dict[str, Any] = {"image": redis_image, "ready": ["redis-cli", "ping"], "ready_timeout_seconds": 20}
    project.suite = {"services": {"cache": made}}
    return made


def test_tests_reach_their_service(project: DockerProject, service: dict[str, Any]) -> None:
    """By localhost as in a pod, and by name; every worker has its own; logs are kept; nothing is left."""
    running = project.start()
    running.until_begun(1)
    beside = {one.labels["doit-fleet.worker"] for one in project.containers(services=True)}
    workers = {one.labels["doit-fleet.worker"] for one in project.containers()}

    assert running.end() == 0, running.output
    assert workers <= beside
    assert list((project.root / ".fleet").glob("local/agent-*/containers/*-cache.log"))
    assert project.containers(services=True) == []


def test_a_service_that_never_gets_ready_is_an_error_with_its_log(
    project: DockerProject, service: dict[str, Any]
) -> None:
    """The run ends untrustworthy, and says what the service has printed."""
    service.update(command=["sh", "-c", "echo I am stuck; sleep 60"], ready_timeout_seconds=1)
    running = project.start()

    assert running.end() == 2, running.output
    assert "I am stuck" in running.output
    assert "was not ready within 1 s" in running.output


def test_services_of_a_killed_agent_are_swept(project: DockerProject, service: dict[str, Any]) -> None:
    """Once the run is over, what it left is found by its labels."""
    first = project.start("workers.lease_seconds=2s")
    first.until_begun(1)
    first.signal(signal.SIGKILL)
    first.end()
    for one in project.containers():
        one.kill()
    assert project.containers(services=True)

    sweep = project.start("sweep", "workers.lease_seconds=2s")

    assert sweep.end() == 0, sweep.output
    until(lambda: not project.containers(services=True), "services are gone", 5)
