"""From settings to the launcher `kubernetes`: which cluster, whose namespace. What pods are made of is `pod_terms`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from extensions.fleet import Fleet
    from pipeline.adapters.kubernetes_client import KubernetesClient


def client_of(fleet: Fleet) -> KubernetesClient:
    """The cluster that the settings name, nothing asked yet. Raises `UsageError` when there is none."""
    from pipeline.adapters.kubernetes_client import KubernetesClient

    return KubernetesClient(str(fleet.kubernetes.kubeconfig.get() or ""), fleet.kubernetes.context.get())


def made_sweeper(fleet: Fleet, client: KubernetesClient, tell: Callable[[str], None]) -> Callable[[str], None]:
    """What removes objects that tests of a run have made, of the kinds that the settings name; what stays is told."""
    from extensions.dockering import store_label
    from pipeline.adapters.kubernetes_api import KubernetesApi
    from pipeline.launchers.kubernetes.sweeping import sweep_made

    kinds = tuple(fleet.kubernetes.sweep_kinds.get())
    namespace = fleet.kubernetes.namespace.get() or client.namespace

    def sweep(run: str) -> None:
        swept = sweep_made(KubernetesApi(client), namespace, store_label(fleet), kinds, [run])
        for what, why in swept.kept.items():
            tell(f"made by tests and left in namespace {namespace!r}: {what}: {why}; later `doit sweep` removes it")

    return sweep
