"""How a pod ended is read from what its cluster says: whether its worker is to blame, and with proof only by its kubelet."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.launchers.kubernetes.ends import disruption_of, end_of, end_of_deleted, is_node_lost, remains_of
from pipeline.launchers.kubernetes.stories import duration_seconds, story_of
from tests.kubernetes.recorded import pod_of, recorded

Object = dict[str, Any]


def with_condition(pod: Object, kind: str, status: str, **more: str) -> Object:
    """The same pod with one condition told otherwise."""
    others = [each for each in pod["status"].get("conditions", ()) if each["type"] != kind]
    pod["status"]["conditions"] = [*others, {"type": kind, "status": status, **more}]
    return pod


def taken(reason: str, message: str = "") -> Object:
    """A pod that its worker left with status 143 after the cluster had marked it."""
    return with_condition(pod_of("deleteme"), "DisruptionTarget", "True", reason=reason, message=message)


@pytest.mark.parametrize(
    ("case", "cause", "disruption", "code"),
    [
        ("oom", "out-of-memory", "", 137),
        ("exit3", "exited", "", 3),
        ("evictme", "evicted", "evicted", 143),
        ("deleteme", "deleted", "deleted", 143),
        ("badcmd", "exited", "", 128),
    ],
)
def test_what_the_kubelet_saw_is_proof(case: str, cause: str, disruption: str, code: int) -> None:
    """Each with its cause; only what the cluster did for its own reasons is a disruption."""
    end, remains = end_of(pod_of(case)), remains_of(pod_of(case))

    assert end is not None and remains is not None
    assert (end.cause, end.disruption, end.code) == (cause, disruption, code)
    assert remains.cause == cause


def test_a_living_pod_has_no_end() -> None:
    """Nor is there proof."""
    assert end_of(pod_of("forceme")) is None
    assert remains_of(pod_of("forceme")) is None


def test_a_pod_whose_object_is_gone_is_deleted_without_proof() -> None:
    """Its container may go on where its node is cut off."""
    end = end_of_deleted(pod_of("forceme"))

    assert (end.cause, end.disruption, end.code) == ("deleted", "deleted", None)
    assert remains_of(pod_of("forceme")) is None


def test_a_status_that_nobody_knows_is_no_proof() -> None:
    """The kubelet writes 137 for a container that it cannot find any more."""
    pod = pod_of("deleteme")
    pod["status"]["containerStatuses"][0]["state"]["terminated"] |= {
        "reason": "ContainerStatusUnknown",
        "exitCode": 137,
    }

    end = end_of(pod)

    assert end is not None and end.code is None
    assert remains_of(pod) is None


def test_a_phase_alone_is_no_proof() -> None:
    """A pod's garbage collection calls a pod failed without its node."""
    pod = with_condition(pod_of("forceme"), "DisruptionTarget", "True", reason="DeletionByPodGC")
    pod["status"]["phase"] = "Failed"

    end = end_of(pod)

    assert end is not None and (end.disruption, end.code) == ("node-lost", None)
    assert remains_of(pod) is None


@pytest.mark.parametrize(
    ("reason", "disruption"),
    [
        ("PreemptionByScheduler", "preempted"),
        ("EvictionByEvictionAPI", "evicted"),
        ("TerminationByKubelet", "evicted"),
        ("DeletionByTaintManager", "drained"),
        ("DeletionByPodGC", "node-lost"),
        ("SomethingNew", "evicted"),
    ],
)
def test_each_disruption_has_its_word(reason: str, disruption: str) -> None:
    """And is told in the cluster's words."""
    end = end_of(taken(reason, "says the cluster"))

    assert end is not None and end.disruption == disruption
    assert "says the cluster" in end.detail


def test_a_worker_that_had_done_its_work_was_not_taken_away() -> None:
    """A condition may come too late to matter."""
    pod = taken("PreemptionByScheduler")
    pod["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] = 0

    end = end_of(pod)

    assert end is not None and (end.cause, end.disruption) == ("exited", "")


def test_a_condition_that_does_not_hold_says_nothing() -> None:
    """`status: "False"`."""
    pod = with_condition(pod_of("exit3"), "DisruptionTarget", "False", reason="PreemptionByScheduler")

    end = end_of(pod)

    assert end is not None and end.disruption == ""


@pytest.mark.parametrize(
    "message",
    [
        'Usage of EmptyDir volume "scratch" exceeds the limit "256Mi". ',
        'Container worker exceeded its local ephemeral storage limit "1Gi". ',
        "Pod ephemeral local storage usage exceeds the total limit of containers 1Gi. ",
    ],
)
def test_who_uses_more_storage_than_it_may_was_not_taken_away(message: str) -> None:
    """The kubelet evicts it, and would evict the next one, too."""
    pod = pod_of("deleteme")
    pod["status"] |= {"reason": "Evicted", "message": message}
    pod["metadata"].pop("deletionTimestamp", None)

    end = end_of(pod)

    assert end is not None and (end.cause, end.disruption) == ("over-limit", "")
    assert message.strip() in end.detail


def test_pressure_on_a_node_is_a_disruption() -> None:
    """Somebody had to go."""
    pod = taken("TerminationByKubelet")
    pod["status"] |= {"reason": "Evicted", "message": "The node was low on resource: memory."}

    end = end_of(pod)

    assert end is not None and end.disruption == "evicted"
    assert "low on resource: memory" in end.detail


def test_a_job_that_may_live_no_longer_is_no_disruption() -> None:
    """Its controller deletes the pod; the Job says why."""
    case = recorded("deadline")
    assert case.pod is not None

    end = end_of(case.pod, case.job)

    assert end is not None and (end.cause, end.disruption) == ("deadline", "")
    assert end_of(case.pod) is not None and end_of(case.pod).disruption == "deleted"  # type: ignore[union-attr]


def test_a_job_that_was_suspended_was_preempted() -> None:
    """So Kueue takes room back."""
    end = end_of(pod_of("deleteme"), {"metadata": {}, "spec": {"suspend": True}, "status": {}})

    assert end is not None and end.disruption == "preempted"


def test_a_node_that_is_not_heard_of_is_told_before_the_pod_has_ended() -> None:
    """The node controller calls pods not ready whose containers are; nobody else does, and it gives no reason."""
    pod = with_condition(with_condition(pod_of("forceme"), "ContainersReady", "True"), "Ready", "False")
    pod["metadata"].pop("deletionTimestamp", None)

    assert is_node_lost(pod)
    assert disruption_of(pod) == "node-lost"
    assert not is_node_lost(with_condition(pod, "Ready", "False", reason="ReadinessGatesNotReady"))
    assert not is_node_lost(with_condition(pod, "ContainersReady", "False"))


def test_a_pod_that_its_node_refused_never_ran() -> None:
    """Another one was faster; that is no loss."""
    pod = {
        "metadata": {"name": "p", "uid": "u"},
        "spec": {"nodeName": "node-1"},
        "status": {"phase": "Failed", "reason": "OutOfcpu", "message": "Pod was rejected: Node didn't have enough cpu"},
    }

    end = end_of(pod)

    assert end is not None and (end.disruption, end.code) == ("rejected", None)
    assert "enough cpu" in end.detail


def test_what_kept_a_worker_from_starting_is_told() -> None:
    """The end of an init container, with its last words."""
    ended = {"terminated": {"exitCode": 1, "reason": "Error", "message": "cp: no space", "containerID": "c"}}
    pod = {
        "metadata": {"name": "p", "uid": "u"},
        "spec": {"nodeName": "node-1"},
        "status": {
            "phase": "Failed",
            "initContainerStatuses": [{"name": "prepare", "state": ended}],
            "containerStatuses": [{"name": "worker", "state": {"waiting": {"reason": "PodInitializing"}}}],
        },
    }

    end = end_of(pod)

    assert end is not None and (end.code, end.cause) == (1, "exited")
    assert end.detail == "pod p on node-1 ended before its worker began, status 1\ncp: no space"


def test_a_worker_that_was_given_up_alive_was_fenced() -> None:
    """It says so by its status."""
    pod = pod_of("exit3")
    pod["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] = 66

    end = end_of(pod)

    assert end is not None and (end.cause, end.disruption) == ("exited", "fenced")


def test_the_end_of_a_log_is_told_once() -> None:
    """The kubelet's message may be the same."""
    pod = pod_of("exit3")
    pod["status"]["containerStatuses"][0]["state"]["terminated"]["message"] = "bye"

    end = end_of(pod, log_end="hello\nbye\n")

    assert end is not None and end.detail == "pod exit3 on node-1 ended, status 3\nhello\nbye"


def test_when_what_happened_to_a_pod_is_told() -> None:
    """In order, as far as the cluster knows; what a pull took is read from its event."""
    case = recorded("evictme")
    assert case.pod is not None
    uid = case.pod["metadata"]["uid"]
    took = 'Successfully pulled image "r/i@sha256:1" in 1.5s (2m3.25s including waiting). Image size: 1 bytes.'
    pull = {
        "reason": "Pulled",
        "message": took,
        "involvedObject": {"uid": uid},
        "firstTimestamp": "2026-11-21T16:27:35Z",
    }

    story = story_of(case.pod, [*case.events, pull])

    assert story.node == "node-2"
    assert 0 < story.asked <= story.scheduled <= story.pulled <= story.started <= story.ended
    assert (story.pull_seconds, story.disruption, story.code) == (123.25, "evicted", 143)


def test_what_has_not_happened_has_no_time() -> None:
    """A pod that no node could take."""
    case = recorded("huge")
    assert case.pod is not None

    story = story_of(case.pod, case.events)

    assert story.asked > 0
    assert (story.scheduled, story.pulled, story.started, story.ended, story.code) == (0, 0, 0, 0, None)


@pytest.mark.parametrize(("text", "seconds"), [("1.5s", 1.5), ("345ms", 0.345), ("1h2m3s", 3723), ("12µs", 12e-6)])
def test_durations_of_go_are_read(text: str, seconds: float) -> None:
    """As the kubelet writes them."""
    assert duration_seconds(text) == pytest.approx(seconds)
