"""What bounds the number of worker pods, read from a cluster: nodes and pods of all namespaces, quotas of one.

Read by pages, of which only what is counted is kept: a cluster may have tens of thousands of pods. Nodes and all pods need
a ClusterRole; where the right is missing, that is said and quotas are all there is. It must not know how anything is counted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from pipeline.adapters.kubernetes_api import KubernetesApi, Object, path_of
from pipeline.adapters.kubernetes_errors import ClusterRefuses
from pipeline.logic.capacity import Seen

NOT_ENDED: Final = {"fieldSelector": "status.phase!=Succeeded,status.phase!=Failed"}
TRIES: Final = 3
"""A list that grows too old between two of its pages is begun anew so often."""
CONTAINERS: Final = ("containers", "initContainers")
STATUSES: Final = ("containerStatuses", "initContainerStatuses")
PLACED: Final = ("nodeName", "overhead", "resources", *CONTAINERS)
WAITING: Final = (*PLACED, "nodeSelector", "affinity", "tolerations", "schedulingGates")


def see(api: KubernetesApi, namespace: str, tell: Callable[[str], None]) -> Seen:
    """Look. What may not be read is told, and left out. Raises `ClusterUnreachable`, `ClusterRefuses`."""
    quotas = _readable(api, path_of("resourcequotas", namespace=namespace), tell, lambda quota: quota)
    nodes = _readable(api, path_of("nodes"), tell, node_essence)
    pods = None if nodes is None else _readable(api, path_of("pods"), tell, pod_essence, NOT_ENDED)
    return Seen(nodes=None if pods is None else nodes, pods=pods or (), quotas=quotas or ())


def node_essence(node: Object) -> Object:
    """What decides whether a node takes a pod."""
    status = node.get("status") or {}
    return {
        "metadata": _some(node["metadata"], "name", "labels"),
        "spec": _some(node["spec"], "unschedulable", "taints"),
        "status": {
            "allocatable": status.get("allocatable"),
            "conditions": [_some(each, "type", "status") for each in status.get("conditions") or ()],
        },
    }


def pod_essence(pod: Object) -> Object:
    """What a pod takes of a node, and where one that has none may go."""
    spec, status = pod["spec"], pod.get("status") or {}
    kept = _some(spec, *(PLACED if spec.get("nodeName") else WAITING))
    kept |= {
        kind: [_some(one, "name", "resources", "restartPolicy") for one in spec.get(kind) or ()] for kind in CONTAINERS
    }
    told = _some(status, "phase")
    told |= {
        kind: [_some(one, "name", "resources", "allocatedResources") for one in status[kind]]
        for kind in STATUSES
        if any("resources" in one or "allocatedResources" in one for one in status.get(kind) or ())
    }
    told["conditions"] = [each for each in status.get("conditions") or () if each["type"] == "PodResizePending"]
    return {"metadata": _some(pod["metadata"], "name", "deletionTimestamp"), "spec": kept, "status": told}


def _some(given: Object, *names: str) -> dict[str, Any]:
    return {name: given[name] for name in names if name in given}


def _readable(
    api: KubernetesApi,
    path: str,
    tell: Callable[[str], None],
    keep: Callable[[Object], Object],
    query: dict[str, str] | None = None,
) -> list[Object] | None:
    for left in reversed(range(TRIES)):
        try:
            return [keep(each) for items, _ in api.pages(path, query) for each in items]
        except ClusterRefuses as refused:
            if refused.status == 403:
                tell(f"{refused.message}; {refused.hint}")
                return None
            if refused.status != 410 or not left:
                raise
    return None
