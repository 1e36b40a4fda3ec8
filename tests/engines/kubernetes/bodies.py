"""Pods and Jobs as tests want them: what Pod Security `restricted` and the quota demand, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

AS_NOBODY = {"runAsNonRoot": True, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}}
NO_PRIVILEGE = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
SMALL = {"cpu": "50m", "memory": "64Mi"}


def pod_spec(image: str, command: Sequence[str], **more: Any) -> dict[str, Any]:
    """One container, started once, without a token; `more` are fields of the pod's spec."""
    container = {
        "name": "main",
        "image": image,
        "command": list(command),
        "securityContext": NO_PRIVILEGE,
        "resources": {"requests": SMALL, "limits": {"cpu": "1", "memory": "256Mi"}},
    }
    settled = {"restartPolicy": "Never", "automountServiceAccountToken": False, "terminationGracePeriodSeconds": 5}
    return {"containers": [container], "securityContext": AS_NOBODY, **settled, **more}


def pod(name: str, spec: dict[str, Any]) -> dict[str, Any]:
    """To be created by POST."""
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def indexed_job(name: str, spec: dict[str, Any], count: int, **annotations: str) -> dict[str, Any]:
    """So many pods, each with its index; annotations are the pods'."""
    template = {"metadata": {"annotations": annotations}, "spec": spec}
    whole = {"completionMode": "Indexed", "completions": count, "parallelism": count, "template": template}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": whole}
