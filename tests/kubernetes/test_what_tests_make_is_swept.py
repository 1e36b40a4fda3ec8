"""What tests make in the cluster, with the label that they are told, is gone when their run has ended, however it ended."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from tests.engines.kubernetes.api import until
from tests.faults.project import until as until_seen
from tests.kubernetes.house import KubernetesProject

pytestmark = pytest.mark.timeout(300)

MAKES = """\
import json, os, ssl, time, urllib.request, pytest
from trace_support import trace

@pytest.mark.parametrize("n", range(4))
def test_makes(n):
    name, _, value = os.environ["DOIT_FLEET_LABEL"].partition("=")
    assert value == os.environ["DOIT_FLEET_RUN_ID"]
    body = {"metadata": {"name": f"made-{n}", "labels": {name: value}}}
    asked = urllib.request.Request(
        os.environ["MAPS"], json.dumps(body).encode(),
        {"Content-Type": "application/json", "Authorization": "Bearer " + os.environ["TOKEN"]}, method="POST")
    urllib.request.urlopen(asked, context=ssl._create_unverified_context()).close()
    trace(f"made-{n}")
    time.sleep(float(os.environ["PAUSE"]))
"""
MAPS = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["create", "list", "delete", "deletecollection"]}


@pytest.fixture
def making(project: KubernetesProject) -> KubernetesProject:
    """A project whose tests make ConfigMaps, and may do so; its agent may remove them."""
    cluster = project.cluster
    rbac = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{cluster.namespace}"
    cluster.api.create(f"{rbac}/roles", {"metadata": {"name": "maps"}, "rules": [MAPS]})
    who = {"kind": "ServiceAccount", "name": "doit-fleet", "namespace": cluster.namespace}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "maps"}
    cluster.api.create(f"{rbac}/rolebindings", {"metadata": {"name": "maps"}, "roleRef": role, "subjects": [who]})
    path = cluster.path("serviceaccounts", "doit-fleet") + "/token"
    token = cluster.api.create(path, {"spec": {"expirationSeconds": 3600}})["status"]["token"]
    env = {"MAPS": cluster.reachable(cluster.url) + cluster.path("configmaps"), "TOKEN": token}
    project.sleepers(files=0, count=0, seconds=0)
    project.write("test_makes.py", MAKES)
    project.suite = {"env": {**env, "FLEET_TRACE": str(project.trace_file), "PAUSE": "0"}}
    project.arguments = ("workers.count=2", "workers.lease_seconds=10s")
    project.kubernetes = {"sweep_kinds": ["v1/configmaps"]}
    return project


def maps(project: KubernetesProject) -> set[str]:
    """ConfigMaps of tests that are there."""
    found: list[dict[str, Any]] = project.cluster.api.get(project.cluster.path("configmaps"))["items"]
    return {name for each in found if (name := each["metadata"]["name"]).startswith(("made", "other"))}


def test_nothing_is_left_of_a_run_that_has_ended(making: KubernetesProject) -> None:
    """And what others made stays."""
    path = making.cluster.path("configmaps")
    making.cluster.api.create(path, {"metadata": {"name": "other", "labels": {"doit-fleet.io/run": "other-1"}}})

    running = making.start()
    assert running.end() == 0, running.output

    assert sorted(making.traces()) == [f"made-{n}" for n in range(4)]
    assert maps(making) == {"other"}


def test_nothing_is_left_when_a_person_stops_it(making: KubernetesProject) -> None:
    """By one signal."""
    making.suite["env"]["PAUSE"] = "60"
    running = making.start()
    running.until_begun(2)
    assert maps(making)
    running.signal(signal.SIGTERM)
    assert running.end() == 143, running.output
    assert maps(making) == set()


def test_sweep_removes_what_a_killed_agent_has_left(making: KubernetesProject) -> None:
    """With the run's own Jobs, pods and Secrets, each by its name."""
    making.suite["env"]["PAUSE"] = "3"
    running = making.start()
    running.until_begun(1)
    running.signal(signal.SIGKILL)
    running.end()
    until_seen(lambda: len(set(making.traces())) == 4 and not making.running(), "pods go on alone and end", 150)
    assert len(maps(making)) == 4

    sweep = making.start("sweep", "--all")
    assert sweep.end() == 0, sweep.output

    assert maps(making) == set()
    for kind in ("job", "pod", "secret"):
        assert f"removed {kind} doit-fleet-" in sweep.output
    assert "removed configmaps made-3" in sweep.output
    assert until(lambda: not making.left(), 10), making.left()
