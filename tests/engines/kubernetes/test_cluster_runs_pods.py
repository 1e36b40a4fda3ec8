"""The cluster for tests is a real one: Jobs, Pod Security, quotas, rights, evictions, images of our registry, S3 within reach."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import pytest

from tests.engines.errors import EngineTrouble
from tests.engines.fixtures import Bucket, running
from tests.engines.kubernetes.api import until
from tests.engines.kubernetes.bodies import SMALL, indexed_job, pod, pod_spec
from tests.engines.kubernetes.cluster import SharedKwok
from tests.engines.kubernetes.kwok_nodes import MARK, kwok_nodes
from tests.engines.kubernetes.namespaces import Cluster

SECONDS = 90
"""Pulling the base image on a busy machine is the longest part."""
SLEEP = (
    "python3",
    "-c",
    "import signal, sys; signal.signal(15, lambda *_: sys.exit(143)); print('up', flush=True); signal.pause()",
)


def phase(cluster: Cluster, name: str) -> str:
    """Of a pod."""
    return str(cluster.api.get(cluster.path("pods", name))["status"].get("phase"))


def start(cluster: Cluster, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    """A pod that says `up`, when it has said so."""
    cluster.api.create(cluster.path("pods"), pod(name, spec))
    log = cluster.path("pods", name) + "/log"
    assert until(lambda: phase(cluster, name) == "Running" and "up" in cluster.api.text(log), SECONDS)
    return cluster.api.get(cluster.path("pods", name))


def is_complete(cluster: Cluster, name: str) -> bool:
    """Whether a Job is."""
    told = cluster.api.get(cluster.path("jobs", name, "batch/v1"))["status"]
    return any(found["type"] == "Complete" and found["status"] == "True" for found in told.get("conditions", ()))


def test_an_indexed_job_completes_on_both_nodes_and_reaches_s3(cluster: Cluster, base_image: str, s3: Bucket) -> None:
    """Six pods under `restricted`, from the registry on loopback; their logs are read through the API."""
    url = cluster.reachable(f"{s3.url}/health")
    said = f"import os, urllib.request as r; print(os.environ['JOB_COMPLETION_INDEX'], r.urlopen({url!r}).status)"
    spread = {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "DoNotSchedule",
        "nodeTaintsPolicy": "Honor",
        "labelSelector": {"matchLabels": {"job-name": "six"}},
    }
    spec = pod_spec(base_image, ("python3", "-c", said), topologySpreadConstraints=[spread])
    cluster.api.create(cluster.path("jobs", group="batch/v1"), indexed_job("six", spec, 6))
    assert until(lambda: is_complete(cluster, "six"), SECONDS), cluster.kubectl("get", "events")

    pods = cluster.api.get(cluster.path("pods"))["items"]
    assert {found["spec"]["nodeName"] for found in pods} == set(cluster.nodes)
    logs = sorted(cluster.api.text(cluster.path("pods", found["metadata"]["name"]) + "/log") for found in pods)
    assert logs == [f"{index} 200\n" for index in range(6)]


def test_the_machine_reaches_s3_by_the_same_address_as_pods(cluster: Cluster, s3: Bucket) -> None:
    """One URL of a store suits the agent and its workers."""
    with urllib.request.urlopen(cluster.reachable(f"{s3.url}/health"), timeout=10) as answer:
        assert answer.status == 200


def test_what_is_not_restricted_or_has_no_limits_is_refused(cluster: Cluster, base_image: str) -> None:
    """By Pod Security and by the quota, with their words."""
    root = pod_spec(base_image, SLEEP)
    root["containers"][0]["securityContext"] = {}
    with pytest.raises(EngineTrouble, match='violates PodSecurity "restricted'):
        cluster.api.create(cluster.path("pods"), pod("root", root))
    endless = pod_spec(base_image, SLEEP)
    endless["containers"][0]["resources"] = {"requests": SMALL}
    with pytest.raises(EngineTrouble, match=r"must specify limits\.cpu"):
        cluster.api.create(cluster.path("pods"), pod("endless", endless))


def test_an_eviction_is_a_disruption(cluster: Cluster, base_image: str) -> None:
    """The pod gets its SIGTERM and fails with the condition that Jobs can ignore."""
    start(cluster, "victim", pod_spec(base_image, SLEEP))
    kept = {"finalizers": ["tests/kept"]}  # Else it would be gone before it can be looked at.
    where = cluster.path("pods", "victim")
    cluster.api.merge(where, {"metadata": kept})
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "victim"}}
    cluster.api.create(f"{where}/eviction", eviction)
    assert until(lambda: phase(cluster, "victim") == "Failed", SECONDS)
    status = cluster.api.get(where)["status"]
    assert status["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 143
    reasons = [found["reason"] for found in status["conditions"] if found["type"] == "DisruptionTarget"]
    assert reasons == ["EvictionByEvictionAPI"]
    cluster.api.merge(where, {"metadata": {"finalizers": []}})


def test_a_service_account_may_do_what_its_role_says(cluster: Cluster) -> None:
    """And nothing else."""
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}]
    config = cluster.service_account(rules)
    told = cluster.kubectl("auth", "can-i", "--list", f"--kubeconfig={config}", "--no-headers")
    assert "pods" in told
    assert cluster.kubectl("get", "pods", f"--kubeconfig={config}", "-o", "name") == ""
    with pytest.raises(EngineTrouble, match="forbidden"):
        cluster.kubectl("get", "secrets", f"--kubeconfig={config}")


def test_a_pod_with_a_token_reaches_the_api(cluster: Cluster, base_image: str) -> None:
    """By the address that its environment names, so that an agent can live in the cluster."""
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}]
    cluster.service_account(rules, "inside")
    asks = """
import json, os, ssl, urllib.request
folder = "/var/run/secrets/kubernetes.io/serviceaccount/"
host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
url = f"https://{host}:{port}/api/v1/namespaces/{open(folder + 'namespace').read()}/pods"
asked = urllib.request.Request(url, headers={"Authorization": "Bearer " + open(folder + "token").read()})
with urllib.request.urlopen(asked, context=ssl.create_default_context(cafile=folder + "ca.crt")) as answer:
    print([pod["metadata"]["name"] for pod in json.load(answer)["items"]])
"""
    spec = pod_spec(base_image, ("python3", "-c", asks), serviceAccountName="inside")
    spec["automountServiceAccountToken"] = True
    cluster.api.create(cluster.path("pods"), pod("asks", spec))
    assert until(lambda: phase(cluster, "asks") in ("Succeeded", "Failed"), SECONDS)
    assert cluster.api.text(cluster.path("pods", "asks") + "/log") == "['asks']\n"


def test_kwok_pretends_nodes_and_pods(cluster: Cluster) -> None:
    """A Job of 40 pods on nodes that are none."""
    running(SharedKwok())
    tolerates = {"key": MARK, "operator": "Exists"}
    spec = pod_spec("nowhere/none:1", ("none",), nodeSelector={"type": "kwok"}, tolerations=[tolerates])
    with kwok_nodes(cluster.engine, 4):
        cluster.api.create(cluster.path("jobs", group="batch/v1"), indexed_job("many", spec, 40))
        assert until(lambda: is_complete(cluster, "many"), SECONDS)
    found = json.loads(cluster.kubectl("get", "job", "many", "-o", "json"))
    assert found["status"]["succeeded"] == 40
