"""A real API server takes the manifests as they are, in a restricted namespace whose quota demands limits, under the role."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.adapters.kubernetes_access import warnings_about
from pipeline.adapters.kubernetes_client import KubernetesClient
from pipeline.adapters.kubernetes_errors import ClusterRefuses
from pipeline.launchers.kubernetes.jobs import job_of, secret_of
from pipeline.launchers.kubernetes.terms import PodTerms
from tests.engines.kubernetes.namespaces import Cluster
from tests.pods.given import IMAGE, PLACES, hiring, plain_terms, rich_terms

TERMS = {
    "plain": plain_terms(),
    "rich": rich_terms(),
    "rich-and-writable": rich_terms(read_only=False),
    "with-a-queue": plain_terms(queue="team-a"),
    "openshift": plain_terms(user=""),
}


def tried(client: KubernetesClient, cluster: Cluster, body: dict[str, Any], kind: str = "jobs") -> list[str]:
    """What the server warns of."""
    return warnings_about(client, cluster.path(kind, group="batch/v1" if kind == "jobs" else "v1"), body)


@pytest.mark.parametrize("indexed", [False, True], ids=["one", "indexed"])
@pytest.mark.parametrize("terms", TERMS.values(), ids=TERMS.keys())
def test_jobs_are_taken(agent: KubernetesClient, cluster: Cluster, terms: PodTerms, indexed: bool) -> None:
    """Every field is known and valid, and nothing of Pod Security is violated."""
    hirings = [hiring(0), hiring(1), hiring(5, worker="w5-3")] if indexed else [hiring(0)]

    assert tried(agent, cluster, job_of(terms, hirings, IMAGE, PLACES, indexed=indexed)) == []


@pytest.mark.parametrize("terms", TERMS.values(), ids=TERMS.keys())
def test_their_pods_are_taken(cluster: Cluster, terms: PodTerms) -> None:
    """By Pod Security and by the quota, which look at pods; an agent itself may make none."""
    administrator = KubernetesClient(str(cluster.kubeconfig))
    template = job_of(terms, [hiring()], IMAGE, PLACES)["spec"]["template"]
    pod = {"apiVersion": "v1", "kind": "Pod", **template, "metadata": {"name": "tried", **template["metadata"]}}

    assert tried(administrator, cluster, pod, "pods") == []
    administrator.close()


def test_secrets_are_taken(agent: KubernetesClient, cluster: Cluster) -> None:
    """Under the same role."""
    assert tried(agent, cluster, secret_of(rich_terms(), "a1b2c3d4-1", 1), "secrets") == []


def test_what_breaks_pod_security_is_warned_of(agent: KubernetesClient, cluster: Cluster) -> None:
    """The namespace's own words: a Job is taken, but its pods would not be."""
    terms = plain_terms(template={"spec": {"hostNetwork": True}})

    (warning,) = tried(agent, cluster, job_of(terms, [hiring()], IMAGE, PLACES))

    assert 'would violate PodSecurity "restricted:latest"' in warning
    assert "host namespaces" in warning


def test_a_field_that_the_server_does_not_know_is_refused(agent: KubernetesClient, cluster: Cluster) -> None:
    """A typo in a template is found when the Job is tried."""
    terms = plain_terms(template={"spec": {"dnsPolici": "Default"}})

    with pytest.raises(ClusterRefuses, match="dnsPolici"):
        tried(agent, cluster, job_of(terms, [hiring()], IMAGE, PLACES))
