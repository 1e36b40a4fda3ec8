"""Pools of containers: each suite's tests run in containers of its pool's size, with its pool's services and secrets only."""

from __future__ import annotations

import json

import pytest

from tests.docker.house import DockerProject
from tests.faults.project import until

DODO = """\
def configure(fleet):
    fleet.pools.add("big", lambda pool: (pool.memory.set("512Mi"), pool.count.set(1)))
    fleet.suites.add("heavy", heavy)

def heavy(suite):
    suite.paths.set(["heavy"])
    suite.pool.set("big")
    suite.env.set({env})
    suite.services.add("cache", cache)

def cache(service):
    service.image.set({image!r})
    service.ready.set(["redis-cli", "ping"])
    service.ready_timeout_seconds.set(20)
"""

TESTS = """\
import os, pathlib, socket, time, pytest
from trace_support import trace

LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")

def has_service():
    try:
        socket.create_connection(("127.0.0.1", 6379), 5).close()
    except ConnectionRefusedError:
        return False
    return True

@pytest.mark.parametrize("n", range(4))
def test_where(n):
    (limit,) = (pathlib.Path(each).read_text().strip() for each in LIMITS if os.path.exists(each))
    about = [os.environ["PYTEST_XDIST_WORKER"], os.environ["PYTEST_XDIST_WORKER_COUNT"]]
    knows = "FLEET_TOKEN" in os.environ or "FLEET_TOKEN" in pathlib.Path("/proc/1/environ").read_text()
    trace("|".join(["{suite}", limit, *about, str(has_service()), str(knows)]))
    time.sleep(0.2)
"""


@pytest.fixture
def pooled(project: DockerProject, redis_image: str) -> DockerProject:
    """A project with two suites, each in a pool of its own."""
    project.sleepers(files=0, count=0, seconds=0)
    project.suite = {"paths": ["unit"]}
    project.arguments = ("workers.count=2", "workers.memory=256Mi")
    for suite in ("unit", "heavy"):
        project.write(f"{suite}/test_{suite}.py", TESTS.replace("{suite}", suite))
    env = {"FLEET_TRACE": str(project.trace_file), "FLEET_TOKEN": "of the heavy ones"}
    project.write("dodo.py", DODO.format(env=env, image=redis_image))
    return project


def test_tests_find_themselves_in_their_pools_containers(pooled: DockerProject) -> None:
    """Limits as their own control groups tell, workers numbered over all pools, the service and secrets in one pool only."""
    running = pooled.start()
    running.until_begun(1)
    limits = {one.attrs["HostConfig"]["Memory"] for one in pooled.containers()}
    assert running.end() == 0, running.output

    traces = [line.split("|") for line in pooled.traces()]
    told = {(suite, int(limit), count, service, knows) for suite, limit, _, count, service, knows in traces}
    assert told == {("unit", 2**28, "3", "False", "False"), ("heavy", 2**29, "3", "True", "True")}
    assert {worker for suite, _, worker, *_ in traces if suite == "heavy"} == {"gw2"}
    assert {worker for suite, _, worker, *_ in traces if suite == "unit"} <= {"gw0", "gw1"}
    assert limits <= {2**28, 2**29}


def test_a_plan_says_which_pool_does_what(pooled: DockerProject) -> None:
    """How many workers each has, and for which suites."""
    planned = pooled.start("plan", "--json")
    assert planned.end() == 0, planned.output
    pools = json.loads(planned.output[planned.output.index("{\n") :])["pools"]

    assert [(pool["name"], pool["workers"], pool["suites"]) for pool in pools] == [
        ("default", 2, ["unit"]),
        ("big", 1, ["heavy"]),
    ]


def test_a_pool_whose_container_is_lost_gets_another(pooled: DockerProject) -> None:
    """Nobody else could do its work; the other pool's containers are left alone."""
    running = pooled.start("workers.lease_seconds=4s")
    running.until_begun(1)
    until(lambda: any("heavy" in line for line in pooled.traces()), "a heavy test begins")
    (big,) = (one for one in pooled.running() if one.attrs["HostConfig"]["Memory"] == 2**29)
    big.kill()

    assert running.end() == 0, running.output
    assert {line.split("|")[1] for line in pooled.traces() if line.startswith("heavy")} == {str(2**29)}
    assert len({line for line in pooled.verdicts() if "heavy" in line}) == 4
