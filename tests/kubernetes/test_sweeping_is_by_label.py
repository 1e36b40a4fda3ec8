"""What runs have left in a namespace goes, under the agent's own rights; what others have there stays."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator
from typing import Any

import pytest
from attrs import define

from pipeline.adapters.kubernetes_api import KubernetesApi
from pipeline.adapters.kubernetes_client import KubernetesClient
from pipeline.launchers.kubernetes import sweeping
from pipeline.launchers.kubernetes.names import MANAGED_BY, OURS, STORE
from pipeline.launchers.kubernetes.rights import needed_rights, rules_of
from pipeline.launchers.kubernetes.sweeping import sweep_made, sweep_runs
from pipeline.model.labels import RUN
from tests.engines.kubernetes.api import until
from tests.engines.kubernetes.bodies import indexed_job, pod_spec
from tests.engines.kubernetes.namespaces import Cluster

MINE, OTHER = "1" * 16, "2" * 16
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@define
class House:
    """A namespace, and who sweeps there."""

    cluster: Cluster
    api: KubernetesApi
    group: str
    """Of a kind that only this test has."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """That tests make."""
        return ("v1/configmaps", f"{self.group}/v1/databases", "nowhere.io/v1/things")

    def make(self, kind: str, name: str, labels: dict[str, str], group: str = "v1", **more: Any) -> None:
        """An object."""
        body = {"metadata": {"name": name, "labels": labels, **more}}
        kinds = {"apiVersion": group, "kind": "Database"} if "." in group else {}
        self.cluster.api.create(self.cluster.path(kind, group=group), {**kinds, **body})

    def job(self, name: str, labels: dict[str, str]) -> None:
        """A Job whose pod waits for ever."""
        spec = pod_spec("nowhere/none:1", ("none",), nodeSelector={"no": "where"})
        body = indexed_job(name, spec, 1)
        body["metadata"]["labels"] = body["spec"]["template"]["metadata"]["labels"] = labels
        self.cluster.api.create(self.cluster.path("jobs", group="batch/v1"), body)
        assert until(lambda: f"{name}-0" in " ".join(self.names("pods")), 20)

    def names(self, kind: str, group: str = "v1") -> set[str]:
        """Of the objects that are there."""
        found = self.cluster.api.get(self.cluster.path(kind, group=group))["items"]
        return {each["metadata"]["name"] for each in found} - {"kube-root-ca.crt"}

    def left(self) -> set[str]:
        """Everything that this test has made."""
        kinds = {"jobs": "batch/v1", "secrets": "v1", "configmaps": "v1", "databases": f"{self.group}/v1"}
        return {name for kind, group in kinds.items() for name in self.names(kind, group)}


@pytest.fixture
def house(cluster: Cluster) -> Iterator[House]:
    """With a custom resource."""
    group = f"g{uuid.uuid4().hex[:8]}.tests.doit-fleet.io"
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    names = {"plural": "databases", "singular": "database", "kind": "Database"}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    body = {"group": group, "scope": "Namespaced", "names": names, "versions": [version]}
    meta = {"name": f"databases.{group}"}
    whole = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": meta,
        "spec": body,
    }
    cluster.api.create(DEFINITIONS, whole)
    kinds = ("v1/configmaps", f"{group}/v1/databases")
    client = KubernetesClient(str(cluster.service_account(rules_of(needed_rights(kinds)))))
    try:
        path = cluster.path("databases", group=f"{group}/v1")
        assert until(lambda: cluster.api.ask("GET", path)[0] == 200, 20)
        yield House(cluster, KubernetesApi(client), group)
    finally:
        client.close()
        cluster.api.delete(f"{DEFINITIONS}/databases.{group}")


def ours(run: str, store: str = MINE) -> dict[str, str]:
    """Labels of what an agent makes."""
    return {MANAGED_BY: OURS, STORE: store, RUN: run}


@pytest.mark.timeout(120)
def test_what_dead_runs_left_goes_and_all_else_stays(house: House) -> None:
    """Jobs with their pods, Secrets, and what tests made, of runs of this store that are not alive."""
    for run in ("dead-1", "alive-1", "unknown-1"):
        house.job(f"job-{run}", ours(run))
        house.make("secrets", f"secret-{run}", ours(run))
        house.make("configmaps", f"made-{run}", {RUN: run})
        house.make("databases", f"made-db-{run}", {RUN: run}, f"{house.group}/v1")
    house.make("secrets", "secret-swept-1", ours("swept-1"))
    house.make("secrets", "secret-other", ours("other-1", OTHER))
    house.make("configmaps", "made-other", {RUN: "other-1"})
    house.make("configmaps", "no-label", {"app": "shop"})
    house.make("secrets", "no-store", {RUN: "dead-1"})
    asked = []

    def alive() -> Collection[str]:
        asked.append(sorted(house.names("jobs", "batch/v1")))
        return ["alive-1"]

    swept = sweep_runs(house.api, house.cluster.namespace, MINE, house.kinds, alive, ["dead-1", "swept-1"])

    assert swept.kept == {}
    assert house.left() == {
        *("job-alive-1", "secret-alive-1", "made-alive-1", "made-db-alive-1"),
        *("secret-other", "made-other", "no-label", "no-store"),
    }
    assert {name for name in house.names("pods") if "alive" not in name} == set()
    gone = {name for name in swept.removed if not name.startswith("pod ")}
    assert {"job job-dead-1", "secret secret-swept-1", "configmaps made-unknown-1"} <= gone
    assert f"databases made-db-{'dead-1'}" in gone
    assert len(gone) == 9
    assert sum(name.startswith("pod job-") for name in swept.removed) == 2
    assert len(asked) == 1


@pytest.mark.timeout(60)
def test_finalizers_that_hang_are_told(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """By name, with the object; it is no error that others go."""
    monkeypatch.setattr(sweeping, "GONE_SECONDS", 1.0)
    group = f"{house.group}/v1"
    house.make("databases", "stuck", {RUN: "dead-1"}, group, finalizers=["acme.io/drop"])
    house.make("databases", "free", {RUN: "dead-1"}, group)

    swept = sweep_made(house.api, house.cluster.namespace, MINE, house.kinds, ["dead-1"])

    assert swept.removed == ("databases free",)
    (told,) = swept.kept.items()
    assert told[0] == "databases stuck" and "acme.io/drop" in told[1]
    house.cluster.api.merge(house.cluster.path("databases", "stuck", group), {"metadata": {"finalizers": None}})


@pytest.mark.timeout(60)
def test_a_run_of_the_same_name_in_another_store_is_not_touched(house: House) -> None:
    """Two agents with stores of their own may run the same inputs in one namespace."""
    house.job("job-twin", ours("twin-1", OTHER))
    house.make("configmaps", "made-twin", {RUN: "twin-1"})
    house.make("configmaps", "made-mine", {RUN: "mine-1"})

    swept = sweep_made(house.api, house.cluster.namespace, MINE, house.kinds, ["twin-1", "mine-1"])

    assert swept.removed == ("configmaps made-mine",)
    assert swept.kept == {"what tests of run twin-1 made": "a run of another store has that name"}
    assert house.names("configmaps") == {"made-twin"}


def test_a_missing_right_is_told_and_others_are_swept(house: House) -> None:
    """For the kind that it concerns."""
    house.make("configmaps", "made", {RUN: "dead-1"})

    kinds = ("v1/services", "v1/configmaps")
    swept = sweep_made(house.api, house.cluster.namespace, MINE, kinds, ["dead-1"])

    assert swept.removed == ("configmaps made",)
    assert "cannot list resource" in swept.kept["v1/services"]


def test_nothing_is_deleted_without_a_label(house: House) -> None:
    """Neither for want of runs nor by a mistake of ours."""
    house.make("configmaps", "shop", {})
    assert sweep_made(house.api, house.cluster.namespace, MINE, house.kinds, ["", ""]).removed == ()
    with pytest.raises(ValueError, match="never deleted"):
        house.api.delete_all(house.cluster.path("configmaps"), {})
    assert house.names("configmaps") == {"shop"}
