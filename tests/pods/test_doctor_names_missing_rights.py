"""Each right that a run needs is looked for, and named when it is not there."""

from __future__ import annotations

import json
from functools import partial

import pytest

from extensions.cluster_checks import missing_rights
from pipeline.adapters.kubernetes_api import KubernetesApi
from pipeline.adapters.kubernetes_client import KubernetesClient
from pipeline.launchers.kubernetes.rights import NEEDED, Right, needed_rights, rules_of
from tests.engines.kubernetes.api import until
from tests.engines.kubernetes.namespaces import RBAC, Cluster
from tests.kubernetes.house import KubernetesProject

SWEPT = "acme.io/v1/databases"


def test_the_shipped_role_lacks_nothing(agent: KubernetesClient, cluster: Cluster) -> None:
    """But what tests make is the user's to add."""
    rights = needed_rights([SWEPT])

    missing = missing_rights(KubernetesApi(agent), cluster.namespace, rights)

    assert [right.name for right in missing] == [
        "list databases.acme.io", "delete databases.acme.io", "deletecollection databases.acme.io",
    ]  # fmt: skip


def test_each_right_that_is_taken_away_is_named(cluster: Cluster) -> None:
    """One by one; the others are still seen to be there."""
    rights = needed_rights([SWEPT])
    client = KubernetesClient(str(cluster.service_account(rules_of(rights))))
    api = KubernetesApi(client)

    def is_missing(*expected: Right) -> bool:
        return missing_rights(api, cluster.namespace, rights) == [*expected]

    assert until(is_missing, 10)
    for right in rights:
        others = [each for each in rights if each != right]
        cluster.api.merge(f"{RBAC}/namespaces/{cluster.namespace}/roles/agent", {"rules": rules_of(others)})
        assert until(partial(is_missing, right), 10), right.name
    client.close()


@pytest.mark.timeout(120)
def test_doctor_tells_what_is_missing_and_the_way_out(project: KubernetesProject) -> None:
    """As a run would meet it; nothing is made meanwhile."""
    cluster = project.cluster
    fine = project.start("doctor", "--json")
    assert fine.end() == 0, fine.output
    names = {check["name"]: check for check in json.loads(fine.output)["checks"]}
    assert "'restricted'" in names["namespace"]["text"] or "may not be read" in names["namespace"]["text"]
    assert str(len(NEEDED)) in names["rights"]["text"]
    assert names["pods of pool 'default'"]["good"]
    assert "the node itself" in names["images for nodes"]["text"]

    lost = [right for right in NEEDED if right.name not in ("create jobs.batch", "get pods/log")]
    cluster.api.merge(f"{RBAC}/namespaces/{cluster.namespace}/roles/doit-fleet", {"rules": rules_of(lost)})
    bad = project.start("doctor")

    assert bad.end() == 3, bad.output
    assert "BAD  right to create jobs.batch: missing in" in bad.output
    assert "without it no worker can be started" in bad.output
    assert "BAD  right to get pods/log" in bad.output
    assert "doit-fleet rights | kubectl apply" in bad.output
    assert project.left() == []


def test_the_printed_manifest_is_enough(project: KubernetesProject) -> None:
    """`doit rights | kubectl apply` gives what doctor wants, kinds to sweep among it."""
    project.kubernetes = {"sweep_kinds": [SWEPT]}
    bad = project.start("doctor")
    assert bad.end() == 3, bad.output
    assert "right to list databases.acme.io" in bad.output

    printed = project.start("rights")
    assert printed.end() == 0, printed.output
    manifest = project.cluster.folder / "rights.json"
    manifest.write_text(printed.output, "utf-8")
    project.cluster.kubectl("apply", "--filename", str(manifest))

    fine = project.start("doctor")
    assert fine.end() == 0, fine.output
