"""What would stop a run in a cluster is said by doctor, in a line, with the way out; so far as it may be seen."""

from __future__ import annotations

import pytest

from tests.engines.kubernetes.api import until
from tests.kubernetes.house import KubernetesProject

FAULTS = {
    "kubernetes.namespace=nosuch": "there is no namespace 'nosuch'",
    "kubernetes.service_account=nobody": "there is no 'nobody' among serviceaccounts",
    'kubernetes.pull_secrets=["none"]': "there is no 'none' among secrets",
    "kubernetes.priority_class=urgent": "there is no PriorityClass 'urgent'",
    "kubernetes.template={spec={hostPid=true}}": 'unknown field "spec.template.spec.hostPid"',
    "kubernetes.user=0": "runAsNonRoot",
    "store.url=s3://bucket/x?endpoint=http://127.0.0.1:9": "in a pod that is the pod",
}


@pytest.mark.timeout(240)
def test_faults_are_found_before_a_run_meets_them(project: KubernetesProject) -> None:
    """With the administrator's rights, who may look at everything."""
    project.kubeconfig = project.cluster.kubeconfig
    started = {argument: project.start("doctor", argument) for argument in FAULTS}
    for argument, doctor in started.items():
        told = FAULTS[argument]
        assert doctor.end() == 3, (argument, doctor.output)
        assert told in doctor.output, (argument, doctor.output)
    assert project.left() == []


@pytest.mark.timeout(120)
def test_a_quota_that_counts_storage_is_told(project: KubernetesProject) -> None:
    """Pods without a number would all be refused; with one they are not."""
    cluster = project.cluster
    hard = {"hard": {"requests.ephemeral-storage": "20Gi", "limits.ephemeral-storage": "20Gi"}}
    cluster.api.create(cluster.path("resourcequotas"), {"metadata": {"name": "disk"}, "spec": hard})
    assert until(lambda: "status" in cluster.api.get(cluster.path("resourcequotas", "disk")), 10)

    without, given = project.start("doctor"), project.start("doctor", "kubernetes.storage=1Gi")

    assert (without.end(), given.end()) == (3, 0), without.output + given.output
    assert "BAD  quota: the quota counts ephemeral storage" in without.output
    assert "kubernetes.storage" in without.output
    assert "disk: limits.ephemeral-storage 0 of 20Gi" in given.output
