"""What is counted as room is what the real scheduler, and the real quota, give: n pods run, and one more does not."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from pipeline.adapters.kubernetes_api import KubernetesApi
from pipeline.adapters.kubernetes_capacity import node_essence, pod_essence, see
from pipeline.adapters.kubernetes_client import KubernetesClient
from pipeline.logic.capacity import Fit, Wanted, fit
from pipeline.logic.node_selection import why_not
from pipeline.logic.pod_requests import requests_of
from tests.engines.fixtures import running
from tests.engines.kubernetes.api import until
from tests.engines.kubernetes.bodies import pod, pod_spec
from tests.engines.kubernetes.cluster import SharedKwok
from tests.engines.kubernetes.kwok_nodes import MARK, KwokNode, these_kwok_nodes
from tests.engines.kubernetes.namespaces import Cluster

SECONDS = 60
GROUP = "doit-fleet-tests/group"
"""Label of one test's nodes."""
QUOTAS = {"apiGroups": [""], "resources": ["resourcequotas"], "verbs": ["list"]}


@pytest.fixture
def api(cluster: Cluster) -> Iterator[KubernetesApi]:
    """As an administrator."""
    client = KubernetesClient(str(cluster.kubeconfig))
    yield KubernetesApi(client)
    client.close()


def sized(cpu: str, memory: str) -> dict[str, Any]:
    """Resources of a container."""
    return {"requests": {"cpu": cpu, "memory": memory}, "limits": {"cpu": cpu, "memory": memory}}


def on(group: str, cpu: str, memory: str, **more: Any) -> dict[str, Any]:
    """The spec of a pod for one test's nodes."""
    spec = pod_spec(
        "nowhere/none:1",
        ("none",),
        nodeSelector={GROUP: group},
        tolerations=[{"key": MARK, "operator": "Exists"}],
        **more,
    )
    spec["containers"][0]["resources"] = sized(cpu, memory)
    return spec


def container(like: dict[str, Any], name: str, cpu: str, memory: str, **more: Any) -> dict[str, Any]:
    """An init container."""
    return {**like["containers"][0], "name": name, "resources": sized(cpu, memory), **more}


def room(cluster: Cluster, api: KubernetesApi, spec: dict[str, Any]) -> Fit:
    """How many more pods of that kind fit."""
    wanted = Wanted(pool="p", pod={"spec": spec}, jobs=0)
    return fit(see(api, cluster.namespace, pytest.fail), [wanted])["p"]


def create(cluster: Cluster, name: str, spec: dict[str, Any]) -> None:
    """One pod."""
    cluster.api.create(cluster.path("pods"), pod(name, spec))


def places(cluster: Cluster, prefix: str) -> list[str]:
    """Of the pods with names of that beginning: `bound`, `unschedulable` or nothing yet."""
    found = []
    for each in cluster.api.get(cluster.path("pods"))["items"]:
        if each["metadata"]["name"].startswith(prefix):
            reasons = {one.get("reason") for one in each["status"].get("conditions", ())}
            told = "unschedulable" if "Unschedulable" in reasons else ""
            found.append("bound" if each["spec"].get("nodeName") else told)
    return found


def lift_quota(cluster: Cluster) -> None:
    """So that only nodes bound."""
    hard = {"requests.cpu": "999", "requests.memory": "9Ti", "limits.cpu": "999", "limits.memory": "9Ti", "pods": "900"}
    cluster.api.merge(cluster.path("resourcequotas", "quota"), {"spec": {"hard": {**hard, "count/jobs.batch": "900"}}})

    def is_counted() -> bool:
        return bool(cluster.api.get(cluster.path("resourcequotas", "quota"))["status"]["hard"].get("pods") == "900")

    assert until(is_counted, SECONDS)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("seed", [1, 2])
def test_as_many_as_are_counted_run_and_one_more_waits(cluster: Cluster, api: KubernetesApi, seed: int) -> None:
    """On nodes of any size, some cordoned, tainted or full of pods with sidecars and init steps."""
    running(SharedKwok())
    lift_quota(cluster)
    group, dice = f"g{uuid.uuid4().hex[:8]}", random.Random(seed)
    labels, taint = {GROUP: group}, {"key": "other", "effect": "NoSchedule"}
    nodes = [
        KwokNode(
            name=f"{group}-{at}",
            cpu=f"{dice.randint(900, 4100)}m",
            memory=f"{dice.randint(900, 9000)}Mi",
            pods=dice.randint(2, 9),
            labels=labels if at else {GROUP: "none"},
            taints=(taint,) if at == 1 else (),
            cordoned=at == 2,
        )
        for at in range(7)
    ]
    fillers = []
    for _ in range(5):
        spec = on(group, f"{dice.randint(50, 700)}m", f"{dice.randint(50, 900)}Mi")
        steps = [container(spec, "step", f"{dice.randint(50, 900)}m", f"{dice.randint(50, 900)}Mi")]
        stays = {"restartPolicy": "Always"}
        steps.append(container(spec, "stays", f"{dice.randint(10, 300)}m", f"{dice.randint(10, 300)}Mi", **stays))
        fillers.append({**spec, "initContainers": dice.sample(steps, dice.randint(0, 2))})
    with these_kwok_nodes(cluster.engine, *nodes):
        for at, spec in enumerate(fillers):
            create(cluster, f"filler-{at}", spec)
        assert until(lambda: all(places(cluster, "filler-")), SECONDS)
        asked = on(group, f"{dice.randint(200, 600)}m", f"{dice.randint(200, 900)}Mi")
        found = room(cluster, api, asked)
        assert found.count, found.text
        for at in range(found.count + 1):
            create(cluster, f"worker-{at}", asked)
        assert until(lambda: all(places(cluster, "worker-")), SECONDS)
        assert sorted(places(cluster, "worker-")) == ["bound"] * found.count + ["unschedulable"], found.text
        assert room(cluster, api, asked).count == 0


@pytest.mark.timeout(120)
def test_the_quota_admits_as_many_as_are_counted(cluster: Cluster, api: KubernetesApi) -> None:
    """The next one is refused."""
    running(SharedKwok())
    group = f"g{uuid.uuid4().hex[:8]}"
    with these_kwok_nodes(cluster.engine, KwokNode(name=f"{group}-0", labels={GROUP: group})):
        asked = on(group, "700m", "900Mi")
        found = room(cluster, api, asked)
        assert found.count == 9  # Of 8 GiB.
        assert "quota 'quota' leaves no more requests.memory" in found.text
        for at in range(found.count):
            create(cluster, f"worker-{at}", asked)
        with pytest.raises(Exception, match=r"exceeded quota: quota, .*requests\.memory"):
            create(cluster, "one-more", asked)


def test_without_the_right_to_see_nodes_quotas_are_all_there_is(cluster: Cluster) -> None:
    """And that is said, with the server's words."""
    client = KubernetesClient(str(cluster.service_account([QUOTAS])))
    told: list[str] = []
    seen = see(KubernetesApi(client), cluster.namespace, told.append)
    client.close()
    assert seen.nodes is None and not seen.pods
    assert [each["metadata"]["name"] for each in seen.quotas] == ["quota"]
    assert len(told) == 1 and "cannot list resource" in told[0] and "nodes" in told[0]


def test_what_is_kept_of_pods_counts_as_the_whole(cluster: Cluster, api: KubernetesApi) -> None:
    """Of nodes and pods only what is counted is held in memory; nothing that is counted is lost."""
    spec = on("nowhere", "300m", "200Mi")
    stays = container(spec, "stays", "50m", "60Mi", restartPolicy="Always")
    spec |= {"initContainers": [stays, container(spec, "step", "700m", "10Mi")]}
    create(cluster, "whole", spec)
    (whole,) = cluster.api.get(cluster.path("pods"))["items"]
    kept = pod_essence(whole)
    assert requests_of(kept) == requests_of(whole)
    assert len(str(kept)) < len(str(whole)) / 3
    assert kept["spec"]["nodeSelector"] == {GROUP: "nowhere"} and kept["spec"]["tolerations"]
    for node in cluster.api.get("/api/v1/nodes")["items"]:
        assert why_not(spec, node_essence(node)) == why_not(spec, node) != ""
        assert why_not({}, node_essence(node)) == why_not({}, node)
