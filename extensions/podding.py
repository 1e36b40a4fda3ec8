"""From settings to the launcher `kubernetes`: which cluster, whose namespace. What pods are made of is `pod_terms`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from extensions.fleet import Fleet
    from pipeline.adapters.kubernetes_client import KubernetesClient


def client_of(fleet: Fleet) -> KubernetesClient:
    """The cluster that the settings name, nothing asked yet. Raises `UsageError` when there is none."""
    from pipeline.adapters.kubernetes_client import KubernetesClient

    return KubernetesClient(str(fleet.kubernetes.kubeconfig.get() or ""), fleet.kubernetes.context.get())
