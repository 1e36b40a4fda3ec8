"""What bounds the number of worker pods, read from a cluster: nodes and pods of all namespaces, quotas of one.

Read by pages. Nodes and all pods need a ClusterRole; where the right is missing, that is said and quotas are all there is.
It must not know how anything is counted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pipeline.adapters.kubernetes_api import KubernetesApi, Object, path_of
from pipeline.adapters.kubernetes_errors import ClusterRefuses
from pipeline.logic.capacity import Seen

NOT_ENDED: Final = {"fieldSelector": "status.phase!=Succeeded,status.phase!=Failed"}
TRIES: Final = 3
"""A list that grows too old between two of its pages is begun anew so often."""


def see(api: KubernetesApi, namespace: str, tell: Callable[[str], None]) -> Seen:
    """Look. What may not be read is told, and left out. Raises `ClusterUnreachable`, `ClusterRefuses`."""
    quotas = _readable(api, path_of("resourcequotas", namespace=namespace), tell)
    nodes = _readable(api, path_of("nodes"), tell)
    pods = None if nodes is None else _readable(api, path_of("pods"), tell, NOT_ENDED)
    return Seen(nodes=None if pods is None else nodes, pods=pods or (), quotas=quotas or ())


def _readable(
    api: KubernetesApi, path: str, tell: Callable[[str], None], query: dict[str, str] | None = None
) -> list[Object] | None:
    for left in reversed(range(TRIES)):
        try:
            return api.list(path, query)[0]
        except ClusterRefuses as refused:
            if refused.status == 403:
                tell(f"{refused.message}; {refused.hint}")
                return None
            if refused.status != 410 or not left:
                raise
    return None
