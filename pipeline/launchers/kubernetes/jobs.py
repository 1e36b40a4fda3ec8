"""The manifests of a run: Jobs of workers, and the Secret that they get. Pure; Pod Security `restricted` is met.

A Job replaces pods that were disrupted or fenced, and no others. Words: batch/v1 Job, "Pod failure policy".
"""

from __future__ import annotations

import base64
import signal
from collections.abc import Sequence
from typing import Any, Final

from pipeline.launchers.given import secrets_line
from pipeline.launchers.kubernetes.containers import (
    SECRETS_FILE,
    WORKER,
    prepare_container,
    service_container,
    user_of,
    volumes_of,
    worker_container,
)
from pipeline.launchers.kubernetes.names import SLOT, WORKERS, job_name, labels_of, secret_name
from pipeline.launchers.kubernetes.names import WORKER as WORKER_LABEL
from pipeline.launchers.kubernetes.overlay import laid_over
from pipeline.launchers.kubernetes.terms import PodTerms
from pipeline.logic.worker_ranges import write_ranges
from pipeline.model.exits import FENCED
from pipeline.model.images import Places
from pipeline.model.labels import label_value
from pipeline.ports.places import Hiring

QUEUE: Final = "kueue.x-k8s.io/queue-name"
STOPPED: Final = 128 + signal.SIGTERM


def job_of(
    terms: PodTerms, hirings: Sequence[Hiring], image: str, places: Places, *, indexed: bool = False
) -> dict[str, Any]:
    """A Job of these workers, all of one pool, run and term: several need an Indexed Job, in the order of their slots."""
    assert indexed or len(hirings) == 1
    first = hirings[0]
    labels = {**labels_of(terms, first.run, first.term), **_who(hirings)}
    annotations = {**terms.annotations, **({WORKERS: _ranges(hirings)} if len(hirings) > 1 else {})}
    spec = {
        "completions": len(hirings),
        "parallelism": len(hirings),
        "podReplacementPolicy": "Failed",
        "podFailurePolicy": {"rules": _rules("FailIndex" if indexed else "FailJob")},
        "activeDeadlineSeconds": max(1, round(terms.deadline_seconds)),
        "ttlSecondsAfterFinished": round(terms.ttl_seconds),
        "template": template_of(terms, hirings, image, places, labels),
    }
    spec |= {"completionMode": "Indexed", "backoffLimitPerIndex": 0} if indexed else {"backoffLimit": 0}
    if terms.queue:
        spec["suspend"] = True
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": job_name(hirings),
            "labels": {**labels, **({QUEUE: terms.queue} if terms.queue else {})},
            "annotations": annotations,
        },
        "spec": spec,
    }


def template_of(
    terms: PodTerms, hirings: Sequence[Hiring], image: str, places: Places, labels: dict[str, str]
) -> dict[str, Any]:
    """The pods' template, the user's own laid over it."""
    spec: dict[str, Any] = {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": round(terms.grace_seconds),
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {**user_of(terms.user), "seccompProfile": {"type": "RuntimeDefault"}},
        "initContainers": [
            prepare_container(terms, image, places),
            *(service_container(service) for service in terms.services),
        ],
        "containers": [worker_container(terms, hirings, image, places)],
        "volumes": volumes_of(terms, hirings),
        **_placement(terms, labels),
    }
    if terms.services:
        names = [service.name.lower() for service in terms.services]
        spec["hostAliases"] = [{"ip": "127.0.0.1", "hostnames": names}]
    metadata = {"labels": labels, **({"annotations": dict(terms.annotations)} if terms.annotations else {})}
    return laid_over({"metadata": metadata, "spec": spec}, terms.template)


def secret_of(terms: PodTerms, run: str, term: int) -> dict[str, Any]:
    """What all workers of a pool are given in one term: tests' environment by suite, the store's credentials."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": secret_name(run, term, terms.pool, terms.until), "labels": labels_of(terms, run, term)},
        "type": "Opaque",
        "immutable": True,
        "data": {SECRETS_FILE: base64.b64encode(secrets_line(terms)).decode("ascii")},
    }


def _who(hirings: Sequence[Hiring]) -> dict[str, str]:
    if len(hirings) > 1:
        return {}
    return {WORKER_LABEL: label_value(hirings[0].worker), SLOT: str(hirings[0].slot)}


def _ranges(hirings: Sequence[Hiring]) -> str:
    return write_ranges(hiring.worker for hiring in hirings)


def _rules(otherwise: str) -> list[dict[str, Any]]:
    """A pod that was disrupted, or fenced, or told to stop, is replaced; one that ended otherwise is not."""
    again = {"containerName": WORKER, "operator": "In", "values": [FENCED, STOPPED]}
    other = {"containerName": WORKER, "operator": "NotIn", "values": [0]}
    return [
        {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
        {"action": "Ignore", "onExitCodes": again},
        {"action": otherwise, "onExitCodes": other},
    ]


def _placement(terms: PodTerms, labels: dict[str, str]) -> dict[str, Any]:
    """Where the pods may run; what is empty is left to the cluster."""
    selector = {"matchLabels": {name: labels[name] for name in labels_of(terms, "", 0) if name in labels}}
    wanted = {
        "nodeSelector": dict(terms.node_selector),
        "tolerations": [dict(each) for each in terms.tolerations],
        "affinity": dict(terms.affinity),
        "topologySpreadConstraints": [{"labelSelector": selector, **each} for each in terms.topology_spread],
        "priorityClassName": terms.priority_class,
        "runtimeClassName": terms.runtime_class,
        "serviceAccountName": terms.service_account,
        "imagePullSecrets": [{"name": name} for name in terms.pull_secrets],
    }
    return {name: value for name, value in wanted.items() if value}
