"""How a worker's pod ended, read from the pod as the cluster tells it: why, whether the worker is to blame, and with proof.

Proof is only what the kubelet wrote of the worker's container after it had ended: a missing object, a phase or an unknown
status are none, for the container may go on where its node is cut off. Pure. Words: Kubernetes' "Pod Lifecycle" and
"Disruptions"; messages of the kubelet as of 1.34.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pipeline.launchers.kubernetes.containers import WORKER
from pipeline.logic.blame import OUT_OF_MEMORY
from pipeline.model.exits import FENCED
from pipeline.ports import Remains
from pipeline.ports.places import PlaceEnd

Object = Mapping[str, Any]
KILLED: Final = 137
UNKNOWN: Final = "ContainerStatusUnknown"
"""The kubelet had lost sight of the container: no proof."""
DISRUPTIONS: Final = {
    "PreemptionByScheduler": "preempted",
    "DeletionByTaintManager": "drained",
    "EvictionByEvictionAPI": "evicted",
    "DeletionByPodGC": "node-lost",
    "TerminationByKubelet": "evicted",
}
"""By the reason of the condition `DisruptionTarget`."""
BY_KUBELET: Final = {"Preempting": "preempted", "Terminated": "drained", "NodeShutdown": "drained"}
"""By the pod's own reason, where it says more than the condition."""
SAYS: Final = {
    "preempted": "was preempted",
    "evicted": "was evicted",
    "drained": "was taken off its node",
    "deleted": "was deleted",
    "node-lost": "was lost with its node",
    "rejected": "was not taken by its node",
    "over-limit": "used more than it may",
    "deadline": "had lived as long as it might",
    OUT_OF_MEMORY: "was out of memory",
    "fenced": "had been given up by others",
}


def end_of(pod: Object, job: Object | None = None, *, log_end: str = "") -> PlaceEnd | None:
    """How a pod has ended; None: it may still run. `job` tells why the Job's controller has deleted it."""
    if not has_ended(pod):
        return None
    return _end(pod, job, log_end)


def end_of_deleted(pod: Object, job: Object | None = None, *, log_end: str = "") -> PlaceEnd:
    """The end of a pod whose object is gone, from its last state: what it was deleted for, if not more is known."""
    return _end(pod, job, log_end, otherwise="deleted")


def remains_of(pod: Object, job: Object | None = None) -> Remains | None:
    """Proof that the worker's container has ended, with the cause; None: it lives, or nobody can know."""
    if not is_proven(pod):
        return None
    end = _end(pod, job, "")
    return Remains(cause=end.disruption or end.cause, detail=end.detail)


def has_ended(pod: Object) -> bool:
    """Whether the cluster says that the pod's worker runs no more, proven or not."""
    return terminated(pod) is not None or pod.get("status", {}).get("phase") in ("Succeeded", "Failed")


def is_proven(pod: Object) -> bool:
    """Whether the kubelet itself saw the worker's container end."""
    told = terminated(pod)
    return told is not None and told.get("reason") != UNKNOWN and bool(told.get("containerID"))


def terminated(pod: Object) -> Object | None:
    """The `terminated` state of the worker's container."""
    found: Object | None = status_of(pod, WORKER).get("state", {}).get("terminated")
    return found


def status_of(pod: Object, container: str) -> Object:
    """What the kubelet says of a container; nothing yet: empty."""
    every: list[Object] = pod.get("status", {}).get("containerStatuses") or []
    return next((each for each in every if each.get("name") == container), {})


def disruption_of(pod: Object, job: Object | None = None) -> str:
    """What has befallen a pod that its worker is not to blame for, whether it has ended or not; empty: nothing."""
    status = pod.get("status", {})
    is_own_doing = _is_own_doing(status)
    condition = condition_of(pod, "DisruptionTarget")
    if condition.get("status") == "True" and not is_own_doing:
        word = BY_KUBELET.get(str(status.get("reason"))) or DISRUPTIONS.get(str(condition.get("reason")), "evicted")
        return "node-lost" if word == "drained" and is_node_lost(pod) else word
    if is_node_lost(pod):
        return "node-lost"
    if _is_rejected(pod):
        return "rejected"
    if not pod.get("metadata", {}).get("deletionTimestamp") or is_own_doing or _is_overdue(pod, job):
        return ""
    return "preempted" if job is not None and job.get("spec", {}).get("suspend") else "deleted"


def is_node_lost(pod: Object) -> bool:
    """Whether the cluster has not heard of the pod's node for too long: then the node controller, which alone does so, has
    called a pod not ready whose containers are."""
    is_ready = condition_of(pod, "Ready")
    return (
        is_ready.get("status") == "False"
        and not is_ready.get("reason")
        and condition_of(pod, "ContainersReady").get("status") == "True"
        and terminated(pod) is None
    )


def condition_of(pod: Object, kind: str) -> Object:
    """A condition of the pod or Job; empty: it has none of that kind."""
    every: list[Object] = pod.get("status", {}).get("conditions") or []
    return next((each for each in every if each.get("type") == kind), {})


def _end(pod: Object, job: Object | None, log_end: str, *, otherwise: str = "") -> PlaceEnd:
    told = terminated(pod) or _failed_before(pod)
    code = told.get("exitCode") if told is not None and is_known(told) else None
    disruption = _blameless(pod, job, told, otherwise)
    cause = _cause(pod, job, told, disruption)
    return PlaceEnd(
        code=code, detail=_says(pod, told, code, disruption or cause, log_end), cause=cause, disruption=disruption
    )


def is_known(told: Object) -> bool:
    """Whether an exit status is the container's own, not one that stands for none."""
    return told.get("reason") != UNKNOWN


def _blameless(pod: Object, job: Object | None, told: Object | None, otherwise: str) -> str:
    code = told.get("exitCode") if told is not None else None
    if code == 0 or (told is not None and _is_out_of_memory(told)):
        return ""
    found = disruption_of(pod, job)
    if not found and code == FENCED:
        return "fenced"
    is_explained = told is not None or _is_own_doing(pod.get("status", {})) or _is_overdue(pod, job)
    return found or ("" if is_explained else otherwise)


def _cause(pod: Object, job: Object | None, told: Object | None, disruption: str) -> str:
    """In the words of `Remains.cause`."""
    if told is not None and _is_out_of_memory(told):
        return OUT_OF_MEMORY
    if disruption and disruption != "fenced":
        return disruption
    if _is_own_doing(pod.get("status", {})):
        return "over-limit"
    code = told.get("exitCode") if told is not None and is_known(told) else None
    if code != 0 and _is_overdue(pod, job):
        return "deadline"
    if code is None:
        return ""
    return "signalled" if code > 128 else "exited"


def _is_out_of_memory(told: Object) -> bool:
    return told.get("reason") == "OOMKilled" and told.get("exitCode") == KILLED


def _is_own_doing(status: Object) -> bool:
    """Whether the kubelet evicted it because it used more storage than it may."""
    return status.get("reason") == "Evicted" and "exceed" in str(status.get("message", ""))


def _is_overdue(pod: Object, job: Object | None) -> bool:
    if pod.get("status", {}).get("reason") == "DeadlineExceeded":
        return True
    kinds = ("FailureTarget", "Failed")
    return job is not None and any(condition_of(job, kind).get("reason") == "DeadlineExceeded" for kind in kinds)


def _is_rejected(pod: Object) -> bool:
    """Whether the kubelet would not have it: it failed, for a reason, before any container of it was looked at."""
    status = pod.get("status", {})
    is_untouched = not status.get("containerStatuses") and not status.get("initContainerStatuses")
    return status.get("phase") == "Failed" and is_untouched and bool(status.get("reason"))


def _failed_before(pod: Object) -> Object | None:
    """The end of an init container that kept the worker from being started."""
    every: list[Object] = pod.get("status", {}).get("initContainerStatuses") or []
    ends = (each.get("state", {}).get("terminated") for each in every)
    return next((end for end in ends if end and end.get("exitCode")), None) if has_ended(pod) else None


def _says(pod: Object, told: Object | None, code: int | None, word: str, log_end: str) -> str:
    """Where, why, with which status, in the cluster's words; then the end of what it printed."""
    status, name = pod.get("status", {}), pod.get("metadata", {}).get("name", "")
    node = pod.get("spec", {}).get("nodeName", "")
    first = f"pod {name}" + (f" on {node}" if node else "")
    first += f" {SAYS[word]}" if word in SAYS else " ended"
    if terminated(pod) is None and told is not None:
        first += " before its worker began"
    if code is not None:
        first += f", status {code}"
    reasons = [condition_of(pod, "DisruptionTarget").get("message"), status.get("message")]
    reasons.append(told.get("message") if told is not None else None)
    texts = dict.fromkeys(str(each).strip() for each in reasons if each)
    if log_end:  # The kubelet's message may be the same end of the log.
        texts = {text: None for text in texts if text not in log_end} | {log_end.strip(): None}
    return "\n".join([first, *texts])
