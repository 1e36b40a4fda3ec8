"""Why a pod does not run yet is told in the cluster's words, and whether waiting can help: on recorded shapes, without a cluster."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.launchers.kubernetes.pending import MOST, fits_no_node, why_waiting
from tests.kubernetes.recorded import recorded

Object = dict[str, Any]
PREEMPTION = "preemption: 0/{0} nodes are available: {1}."


def said(nodes: int, reasons: str, preemption: str) -> str:
    """As the scheduler says it."""
    return f"0/{nodes} nodes are available: {reasons}. {PREEMPTION.format(nodes, preemption)}"


@pytest.mark.parametrize(
    ("case", "reason", "is_hopeless", "words"),
    [
        ("huge", "unschedulable", True, "no node could ever take it: 0/2 nodes are available: 2 Insufficient cpu"),
        ("selector", "unschedulable", True, "didn't match Pod's node affinity/selector"),
        ("noclaim", "configuration", True, 'persistentvolumeclaim "none" not found'),
        ("notfound", "image", True, "fleet/nothing:1: not found"),
        ("nodigest", "image", True, "not found"),
        ("notag", "image", True, "bookwormx: not found"),
        ("badname", "image", True, "repository name (Case) must be lowercase"),
        ("noregistry", "image", False, "connection refused"),
        ("nosecretenv", "configuration", True, 'secret "none" not found'),
        ("nokeyenv", "configuration", True, "couldn't find key k in Secret ci/some"),
        ("nomapenv", "configuration", True, 'configmap "none" not found'),
        ("nosecretvol", "volume", True, 'secret "none" not found'),
        ("noaccount", "refused", True, 'serviceaccount "none" not found'),
        ("nopriority", "refused", True, "no PriorityClass with name none was found"),
        ("notrestricted", "refused", True, 'violates PodSecurity "restricted:latest"'),
        ("quotasmall", "quota", True, "quota 'quota' is smaller than one worker"),
        ("quotafull", "quota", False, "quota 'quota' has no room for it now"),
        ("suspended", "suspended", False, "its Job is suspended"),
    ],
)
def test_each_reason_is_told(case: str, reason: str, is_hopeless: bool, words: str) -> None:
    """With the event's text, and whether it can pass by itself."""
    told = recorded(case)

    waiting = why_waiting(told.pod, told.job, told.events)

    assert waiting is not None
    assert (waiting.reason, waiting.hopeless_after is not None) == (reason, is_hopeless)
    assert words in waiting.text
    assert "\n" not in waiting.text and len(waiting.text) <= MOST


@pytest.mark.parametrize("case", ["forceme", "evictme", "exit3", "oom"])
def test_what_runs_or_has_ended_waits_for_nothing(case: str) -> None:
    """Whatever its events say."""
    told = recorded(case)

    assert why_waiting(told.pod, told.job, told.events) is None


@pytest.mark.parametrize(
    "message",
    [
        said(2, "2 Insufficient cpu", "2 Preemption is not helpful for scheduling"),
        said(
            3,
            "1 Insufficient memory, 2 node(s) had untolerated taint {gpu: }",
            "3 Preemption is not helpful for scheduling",
        ),
        said(2, "2 node(s) had untolerated taint(s)", "2 Preemption is not helpful for scheduling"),
    ],
)
def test_what_fits_no_node_even_if_it_were_empty_is_known(message: str) -> None:
    """The scheduler says that preemption would not help."""
    assert fits_no_node(message)


@pytest.mark.parametrize(
    "message",
    [
        said(2, "2 Insufficient cpu", "2 No preemption victims found for incoming pod"),
        said(
            2,
            "2 Insufficient cpu",
            "1 No preemption victims found for incoming pod, 1 Preemption is not helpful for scheduling",
        ),
        said(
            1,
            "1 node(s) had untolerated taint {node.kubernetes.io/not-ready: }",
            "1 Preemption is not helpful for scheduling",
        ),
        said(2, "1 Insufficient cpu, 1 node(s) were unschedulable", "2 Preemption is not helpful for scheduling"),
        said(2, "2 node(s) didn't match pod topology spread constraints", "2 Preemption is not helpful for scheduling"),
        "0/2 nodes are available: 2 Insufficient cpu. preemption: not eligible due to preemptionPolicy=Never.",
        "no nodes available to schedule pods",
        "",
    ],
)
def test_what_may_fit_later_is_waited_for(message: str) -> None:
    """Room, nodes that are starting or held back, and whatever is not known."""
    assert not fits_no_node(message)


def test_a_claim_that_is_not_bound_yet_is_waited_for() -> None:
    """Volumes are made on demand; the scheduler ends its word of that with a bare `not found` at times."""
    message = "0/2 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found"
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    pod = {"metadata": {"name": "p", "uid": "u"}, "spec": {}, "status": {"phase": "Pending", "conditions": [condition]}}

    waiting = why_waiting(pod, None, [])

    assert waiting is not None and (waiting.reason, waiting.hopeless_after) == ("volume", None)
    assert "a claim has no volume yet" in waiting.text


def test_an_autoscaler_that_makes_a_node_is_waited_for() -> None:
    """However little the pod fits what is there now."""
    told = recorded("huge")
    assert told.pod is not None
    uid = told.pod["metadata"]["uid"]
    promise = {"reason": "TriggeredScaleUp", "message": "pod triggered scale-up: [{pool 1->2 (max: 5)}]"}
    event = {**promise, "involvedObject": {"uid": uid}, "lastTimestamp": "2026-11-21T16:28:00Z"}

    waiting = why_waiting(told.pod, None, [*told.events, event])

    assert waiting is not None and (waiting.reason, waiting.hopeless_after) == ("autoscaler", None)
    assert "1->2" in waiting.text


def test_a_registrys_name_does_not_make_a_pull_hopeless() -> None:
    """Only what is said about the image counts, not what it is called."""
    status = {"name": "worker", "image": "denied.example/not found/x:1"}
    waits = {"reason": "ErrImagePull", "message": "failed to pull denied.example/not found/x:1: i/o timeout"}
    pod = _pulling({**status, "state": {"waiting": waits}})

    waiting = why_waiting(pod, None, [])

    assert waiting is not None and (waiting.reason, waiting.hopeless_after) == ("image", None)


def test_who_may_not_pull_need_not_wait() -> None:
    """Credentials are a person's to change."""
    text = "failed to authorize: failed to fetch anonymous token: unexpected status: 401 Unauthorized"
    waits = {"reason": "ErrImagePull", "message": text}
    pod = _pulling({"name": "worker", "image": "r/x:1", "state": {"waiting": waits}})

    waiting = why_waiting(pod, None, [])

    assert waiting is not None and waiting.hopeless_after == 0.0


def test_a_pull_that_goes_on_is_ordinary() -> None:
    """It is shown, not told as a trouble."""
    pod = _pulling({"name": "worker", "image": "r/x:1", "state": {"waiting": {"reason": "ContainerCreating"}}})
    event = {"reason": "Pulling", "message": "Pulling image", "involvedObject": {"uid": "u"}, "lastTimestamp": "2"}

    waiting = why_waiting(pod, None, [event])

    assert waiting is not None and (waiting.reason, waiting.is_ordinary) == ("pulling", True)


def test_events_of_other_pods_say_nothing() -> None:
    """Nor do those of a pod that had the name before."""
    pod = _pulling({"name": "worker", "image": "r/x:1", "state": {"waiting": {"reason": "ContainerCreating"}}})
    event = {"reason": "FailedMount", "message": "no", "involvedObject": {"uid": "another"}, "lastTimestamp": "2"}

    waiting = why_waiting(pod, None, [event])

    assert waiting is None


def _pulling(status: Object) -> Object:
    scheduled = {"type": "PodScheduled", "status": "True"}
    return {
        "metadata": {"name": "p", "uid": "u"},
        "spec": {"nodeName": "node-1"},
        "status": {"phase": "Pending", "conditions": [scheduled], "containerStatuses": [status]},
    }
