"""What we keep of pods, Jobs and events: thousands of them are watched, and a pod whole is ten times as large. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pipeline.launchers.kubernetes.names import WORKERS

Object = dict[str, Any]
ABOUT: Final = ("name", "uid", "resourceVersion", "labels", "creationTimestamp", "deletionTimestamp")
POD_SPEC: Final = ("nodeName", "schedulingGates")
POD_STATUS: Final = (
    "phase",
    "reason",
    "message",
    "startTime",
    "conditions",
    "containerStatuses",
    "initContainerStatuses",
)
JOB_STATUS: Final = ("conditions", "completedIndexes", "failedIndexes")
EVENT: Final = ("involvedObject", "reason", "message", "type", "firstTimestamp", "lastTimestamp", "eventTime", "series")
JOB_NAME: Final = "batch.kubernetes.io/job-name"
JOB_INDEX: Final = "batch.kubernetes.io/job-completion-index"


def pod_essence(pod: Object) -> Object:
    """Who, where, in which state."""
    return {
        "metadata": _some(pod["metadata"], ABOUT),
        "spec": _some(pod.get("spec", {}), POD_SPEC),
        "status": _some(pod.get("status", {}), POD_STATUS),
    }


def pod_stub(pod: Object) -> Object:
    """Who and where it was, of one that has ended."""
    about = _some(pod["metadata"], ("name", "uid", "labels"))
    return {"metadata": about, "spec": _some(pod["spec"], ("nodeName",)), "status": {}}


def job_essence(job: Object) -> Object:
    """Whose, which workers, in which state."""
    about = job["metadata"]
    workers = about.get("annotations", {}).get(WORKERS)
    kept = {**_some(about, ABOUT), "annotations": {WORKERS: workers} if workers else {}}
    spec = job.get("spec", {})
    return {"metadata": kept, "spec": _some(spec, ("suspend",)), "status": _some(job.get("status", {}), JOB_STATUS)}


def event_essence(event: Object) -> Object:
    """About whom, what, when."""
    return {"metadata": _some(event["metadata"], ("uid", "resourceVersion")), **_some(event, EVENT)}


def place_of(pod: Object) -> tuple[str, int]:
    """(Job, index) of a pod; 0 where the Job has no indexes."""
    labels = pod["metadata"].get("labels", {})
    return str(labels.get(JOB_NAME, "")), int(labels.get(JOB_INDEX, 0))


def _some(found: Mapping[str, Any], names: tuple[str, ...]) -> Object:
    return {name: found[name] for name in names if found.get(name)}
