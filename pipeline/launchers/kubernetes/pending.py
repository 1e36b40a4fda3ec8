"""Why a worker's pod does not run yet, in the cluster's own words, and whether waiting can help.

Read from the pod, its Job and their events. Pure. Messages of the scheduler, kubelet and Job controller as of 1.34 and of
cluster-autoscaler and Karpenter; one that is not known is taken for passing. Whoever calls says since when.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from pipeline.launchers.kubernetes.containers import SERVICE, WORKER
from pipeline.launchers.kubernetes.ends import condition_of, has_ended, status_of
from pipeline.launchers.kubernetes.jobs import QUEUE
from pipeline.model.kubernetes_quantities import parse_quantity
from pipeline.ports.places import Waiting

Object = Mapping[str, Any]
AUTOSCALER_SECONDS: Final = 45.0
"""Within that an autoscaler would have said that a node is on its way (they look every 10 s)."""
CONFIGURATION_SECONDS: Final = 10.0
VOLUME_SECONDS: Final = 30.0
"""Within that what was made just before the pod (a Secret) would be seen by its node, which looks again ever more seldom."""
SERVICE_TRIES: Final = 2
"""Starts of a service that may fail before it counts as broken."""
MOST: Final = 700
"""Letters of an explanation."""
COMING: Final = frozenset({"TriggeredScaleUp", "Nominated", "NominatedNode"})
"""Events by which autoscalers promise a node."""
NEVER: Final = (
    re.compile(r"Insufficient "),
    re.compile(r"didn't match Pod's node affinity"),
    re.compile(r"had untolerated taint\(?s?\)? ?\{(?!node\.kubernetes\.io/|node\.cloudprovider\.kubernetes\.io/)"),
    re.compile(r"had untolerated taint\(s\)$"),
    re.compile(r"didn't match the requested node name"),
)
"""Why a node does not suit, where that stays so when nothing but this pod's neighbours change."""
MISSING: Final = re.compile(
    r"not found|couldn't find key|non-existent (secret|config) key|runAsNonRoot|non-numeric user"
)
NOT_THERE: Final = re.compile(r"\" not found")
"""What the scheduler says of a claim or class that nobody has made; of one not bound yet it may end with a bare `not found`."""
GONE: Final = re.compile(
    r"not found|manifest unknown|name unknown|does not exist|unauthorized|denied|authorization failed|no basic auth|"
    r"x509:|server gave HTTP response to HTTPS|no match for platform|ErrImageNeverPull",
    re.IGNORECASE,
)
"""What a registry or runtime says of an image that it will not give us the next time, either."""
FOR_EVER: Final = re.compile(r"is forbidden|is invalid|Invalid value|denied the request|not found")
QUOTA: Final = re.compile(
    r"exceeded quota: (?P<name>[^,]+), requested: (?P<requested>.*), used: .*, limited: (?P<limited>.*)$"
)


def why_waiting(pod: Object | None, job: Object | None, events: Iterable[Object]) -> Waiting | None:
    """Why this pod does not run; of a Job without one, why it has none. None: it runs, has ended, or nothing is known."""
    told = sorted(events, key=_time)
    if pod is None:
        return None if job is None else _why_no_pod(job, [each for each in told if _is_about(each, job)])
    if has_ended(pod) or status_of(pod, WORKER).get("state", {}).get("running"):
        return None
    return _why_not_running(pod, [each for each in told if _is_about(each, pod)])


def _why_no_pod(job: Object, events: Sequence[Object]) -> Waiting | None:
    if job.get("spec", {}).get("suspend"):
        queue = job.get("metadata", {}).get("labels", {}).get(QUEUE, "")
        words = [each for each in events if each.get("reason") not in ("Suspended", "SuccessfulCreate")]
        text = f"its Job is suspended, {f'queue {queue!r} lets it start' if queue else 'until somebody resumes it'}"
        return _waiting("suspended", text, _message(words[-1]) if words else "")
    failed = [each for each in events if each.get("reason") == "FailedCreate"]
    if not failed or any(
        _time(each) > _time(failed[-1]) for each in events if each.get("reason") == "SuccessfulCreate"
    ):
        return None
    text = _message(failed[-1])
    quota = QUOTA.search(text)
    if quota is None:
        is_sure = bool(FOR_EVER.search(text)) and "exceeded quota" not in text
        return _waiting("refused", "the cluster refuses its pod", text, 0.0 if is_sure else None)
    if _never_fits(quota["requested"], quota["limited"]):
        return _waiting("quota", f"quota {quota['name']!r} is smaller than one worker", text, 0.0)
    return _waiting("quota", f"quota {quota['name']!r} has no room for it now", text)


def _never_fits(requested: str, limited: str) -> bool:
    """Whether more is asked for than the whole quota. Both as `requests.cpu=3,pods=1`."""
    bounds = dict(each.split("=", 1) for each in limited.split(",") if "=" in each)
    wanted = dict(each.split("=", 1) for each in requested.split(",") if "=" in each)
    try:
        return any(parse_quantity(wanted[each]) > parse_quantity(bounds[each]) for each in wanted.keys() & bounds)
    except ValueError:
        return False


def _why_not_running(pod: Object, events: Sequence[Object]) -> Waiting | None:
    gates = [str(each.get("name")) for each in pod.get("spec", {}).get("schedulingGates") or []]
    if gates:
        return _waiting("suspended", f"it is held back by {', '.join(gates)}", "")
    scheduled = condition_of(pod, "PodScheduled")
    if scheduled.get("status") == "False":
        return _why_unscheduled(str(scheduled.get("message", "")), events)
    if scheduled.get("status") != "True":
        return None
    status = pod.get("status", {})
    containers = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    for each in containers:
        found = _why_container_waits(each, events)
        if found is not None:
            return found
    return _why_not_made(pod, events)


def _why_unscheduled(message: str, events: Sequence[Object]) -> Waiting:
    coming = [each for each in events if each.get("reason") in COMING]
    if coming:
        return _waiting("autoscaler", "a node is being made for it", _message(coming[-1]))
    refusals = [each for each in events if each.get("reason") == "NotTriggerScaleUp"]
    text = " ".join([message, *(_message(each) for each in refusals[-1:])])
    if NOT_THERE.search(message):
        return _waiting("configuration", "what it needs is missing", text, CONFIGURATION_SECONDS)
    if "unbound immediate PersistentVolumeClaims" in message:
        return _waiting("volume", "a claim has no volume yet", text)
    if fits_no_node(message):
        return _waiting("unschedulable", "no node could ever take it", text, AUTOSCALER_SECONDS)
    return _waiting("unschedulable", "no node has room for it now", text)


def fits_no_node(message: str) -> bool:
    """Whether the scheduler says of every node that it does not suit, and that it would not even if it were empty.

    `0/3 nodes are available: 2 Insufficient cpu, 1 node(s) had untolerated taint {a: b}. preemption: 0/3 nodes are
    available: 3 Preemption is not helpful for scheduling.`
    """
    reasons, _, preemption = message.partition("preemption:")
    nodes = re.match(r"0/(\d+) nodes are available: ", message)
    if nodes is None or not re.search(rf"\b{nodes[1]} Preemption is not helpful", preemption):
        return False
    listed = re.findall(r"(?:^|[,:] )(\d+) (.*?)(?=, \d+ |\.(?: |$)|$)", reasons.partition(": ")[2])
    return bool(listed) and all(any(known.search(reason) for known in NEVER) for _, reason in listed)


def _why_container_waits(status: Object, events: Sequence[Object]) -> Waiting | None:
    """By the kubelet's reason for a container's state `waiting`; None: it is not by its own fault that it waits."""
    failed = status.get("lastState", {}).get("terminated")
    if failed and not status.get("started") and str(status.get("name", "")).startswith(SERVICE):
        return _why_service_fails(status, failed)
    waiting = status.get("state", {}).get("waiting") or {}
    reason, message = str(waiting.get("reason", "")), str(waiting.get("message", ""))
    if reason in ("InvalidImageName", "ErrImageNeverPull"):
        return _waiting("image", f"image {status.get('image', '')!r} cannot be had", f"{reason}: {message}", 0.0)
    if reason in ("ErrImagePull", "ImagePullBackOff", "ImageInspectError", "RegistryUnavailable"):
        pulls = [_message(each) for each in events if "Failed to pull image" in _message(each)]
        text = message if "rpc error" in message or "failed to" in message else " ".join([message, *pulls[-1:]])
        is_sure = bool(GONE.search(text.replace(str(status.get("image", "")), "")))
        return _waiting("image", "its image cannot be pulled", f"{reason}: {text}", 0.0 if is_sure else None)
    if reason == "CreateContainerConfigError":
        sure = CONFIGURATION_SECONDS if MISSING.search(message) else None
        return _waiting("configuration", "what its container needs is missing", f"{reason}: {message}", sure)
    if reason in ("CreateContainerError", "RunContainerError", "CrashLoopBackOff"):
        return _waiting("container", "its container cannot be started", f"{reason}: {message}")
    return None


def _why_service_fails(status: Object, failed: Object) -> Waiting:
    """Its end, or its probe's patience: the kubelet starts it anew for ever, with the tests behind it waiting."""
    name = str(status["name"]).removeprefix(SERVICE)
    what = f"service {name!r} did not become ready, and ended with status {failed.get('exitCode')}"
    is_sure = int(status.get("restartCount", 0)) >= SERVICE_TRIES
    return _waiting("service", what, str(failed.get("message", "")), 0.0 if is_sure else None)


def _why_not_made(pod: Object, events: Sequence[Object]) -> Waiting | None:
    """While containers are being made only events say what holds that up, and what goes on."""
    last = events[-1] if events else {}
    text, reason = _message(last), last.get("reason")
    if reason in ("FailedMount", "FailedAttachVolume", "FailedMapVolume"):
        return _waiting("volume", "a volume cannot be mounted", text, VOLUME_SECONDS if MISSING.search(text) else None)
    if reason == "FailedCreatePodSandBox":
        return _waiting("sandbox", "its node cannot make it", text)
    node = pod.get("spec", {}).get("nodeName", "its node")
    if reason == "Pulling":
        return Waiting(reason="pulling", text=f"{node} pulls its image", is_ordinary=True)
    return None


def _waiting(reason: str, what: str, words: str, hopeless_after: float | None = None) -> Waiting:
    text = " ".join(f"{what}: {words}".split()) if words.strip(" :") else what
    return Waiting(
        reason=reason, text=text if len(text) <= MOST else f"{text[: MOST - 1]}…", hopeless_after=hopeless_after
    )


def _is_about(event: Object, about: Object) -> bool:
    uid = event.get("involvedObject", {}).get("uid")
    return bool(uid) and uid == about.get("metadata", {}).get("uid")


def _message(event: Object) -> str:
    return str(event.get("message", ""))


def _time(event: Object) -> str:
    """When it was seen last, as text that sorts: `2026-11-21T16:27:33.03Z`."""
    series = event.get("series") or {}
    times = (series.get("lastObservedTime"), event.get("lastTimestamp"), event.get("eventTime"))
    return max((str(each).rstrip("Z") for each in times if each), default="")
