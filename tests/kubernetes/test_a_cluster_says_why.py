"""On a real cluster: each reason for which a pod waits is explained within seconds, and each end is told with its cause."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from pipeline.launchers.kubernetes.ends import disruption_of, end_of, remains_of
from pipeline.launchers.kubernetes.pending import why_waiting
from pipeline.launchers.kubernetes.stories import story_of
from pipeline.ports.places import PlaceEnd, Waiting
from tests.engines.kubernetes import disruptions
from tests.engines.kubernetes.api import until
from tests.engines.kubernetes.bodies import indexed_job, pod_spec
from tests.engines.kubernetes.namespaces import Cluster

Object = dict[str, Any]
EXPLAINED_SECONDS = 15.0
"""On a busy machine; a quiet one takes two or three."""
RUN_SECONDS = 60.0
SMALL = {"cpu": "20m", "memory": "40Mi"}
WAITS = "import signal, sys; signal.signal(15, lambda *_: sys.exit(143)); print('up', flush=True); signal.pause()"


def spec(image: str, *command: str, resources: Object | None = None, **more: Any) -> Object:
    """Of a pod with a container `worker`."""
    told = pod_spec(image, command or ("python3", "-c", WAITS), **more)
    amounts = {**SMALL, **(resources or {})}
    told["containers"][0] |= {"name": "worker", "resources": {"requests": amounts, "limits": amounts}}
    return told


class Jobs:
    """Jobs of one pod each, and what the cluster says of them."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    def make(self, name: str, pod: Object, **more: Any) -> None:
        """A Job of one pod."""
        body = indexed_job(name, pod, 1)
        body["spec"] |= {"backoffLimit": 0, **more}
        self.cluster.api.create(self.cluster.path("jobs", group="batch/v1"), body)

    def job(self, name: str) -> Object:
        """As it is now."""
        return self.cluster.api.get(self.cluster.path("jobs", name, "batch/v1"))

    def pod(self, name: str) -> Object | None:
        """Its first pod, if it has one; others replace it."""
        found = self.cluster.api.get(f"{self.cluster.path('pods')}?labelSelector=job-name%3D{name}")["items"]
        return min(found, key=lambda pod: str(pod["metadata"]["creationTimestamp"])) if found else None

    def name_of(self, name: str) -> str:
        """Of its pod, once that runs and says so."""
        assert until(lambda: _runs(self.pod(name)), RUN_SECONDS), self.cluster.kubectl("get", "events")
        pod = str((self.pod(name) or {})["metadata"]["name"])
        log = self.cluster.path("pods", pod) + "/log"
        assert until(lambda: "up" in self.cluster.api.text(log), RUN_SECONDS)  # From then on it hears signals.
        return pod

    def waiting(self, name: str) -> Waiting | None:
        """Why it waits, as the launcher reads it."""
        events = self.cluster.api.get(self.cluster.path("events"))["items"]
        return why_waiting(self.pod(name), self.job(name), events)

    @contextmanager
    def kept(self, name: str) -> Iterator[None]:
        """Its pod's object stays, as the launcher's watch would have kept it."""
        where = self.cluster.path("pods", self.name_of(name))
        self.cluster.api.merge(where, {"metadata": {"finalizers": ["tests/kept"]}})
        try:
            yield
        finally:
            if self.cluster.api.find(where):
                self.cluster.api.merge(where, {"metadata": {"finalizers": None}})

    def end(self, name: str) -> PlaceEnd:
        """How its pod ended, when it has."""
        assert until(lambda: end_of(self.pod(name) or {}) is not None, RUN_SECONDS), self.cluster.kubectl("get", "pods")
        pod = self.pod(name)
        assert pod is not None
        end = end_of(pod, self.job(name))
        assert end is not None
        return end


def _runs(pod: Object | None) -> bool:
    return pod is not None and pod["status"].get("phase") == "Running"


@pytest.fixture
def jobs(cluster: Cluster) -> Jobs:
    """In a namespace of their own."""
    return Jobs(cluster)


def with_secret(image: str, key: str) -> Object:
    """A pod that wants a key of the Secret `some`."""
    told = spec(image)
    told["containers"][0]["env"] = [{"name": "X", "valueFrom": {"secretKeyRef": {"name": "some", "key": key}}}]
    return told


def with_volume(image: str) -> Object:
    """A pod that wants a Secret as a volume."""
    told = spec(image)
    told["volumes"] = [{"name": "v", "secret": {"secretName": "none"}}]
    told["containers"][0]["volumeMounts"] = [{"name": "v", "mountPath": "/v"}]
    return told


@pytest.mark.timeout(180)
def test_each_reason_is_explained_within_seconds(jobs: Jobs, base_image: str) -> None:
    """In the cluster's words, with whether waiting can help."""
    registry = jobs.cluster.registry
    privileged = copy.deepcopy(spec(base_image))
    privileged["containers"][0]["securityContext"] = {}
    jobs.cluster.api.create(jobs.cluster.path("secrets"), {"metadata": {"name": "some"}, "stringData": {"a": "b"}})
    cases: dict[str, tuple[Object, str, bool, str]] = {
        "huge": (spec(base_image, resources={"cpu": "7"}), "unschedulable", True, "Insufficient cpu"),
        "nowhere": (spec(base_image, nodeSelector={"no": "such"}), "unschedulable", True, "node affinity/selector"),
        "absent": (spec(f"{registry}/fleet/nothing:1"), "image", True, "not found"),
        "misnamed": (spec("UPPER/Case:1"), "image", True, "must be lowercase"),
        "unreachable": (spec("127.0.0.1:1/x/y:1"), "image", False, "connection refused"),
        "keyless": (with_secret(base_image, "k"), "configuration", True, "couldn't find key k in Secret"),
        "volumeless": (with_volume(base_image), "volume", True, 'secret "none" not found'),
        "accountless": (
            spec(base_image, serviceAccountName="none"),
            "refused",
            True,
            'serviceaccount "none" not found',
        ),
        "unrestricted": (privileged, "refused", True, "violates PodSecurity"),
        "too-large": (spec(base_image, resources={"memory": "40Gi"}), "quota", True, "is smaller than one worker"),
    }
    begun = time.monotonic()
    for name, (pod, *_) in cases.items():
        jobs.make(name, pod)

    open_cases = dict(cases)
    seen: dict[str, Waiting | None] = {}
    while open_cases and time.monotonic() - begun < EXPLAINED_SECONDS:
        for name in list(open_cases):
            waiting = seen[name] = jobs.waiting(name)
            if waiting is not None and waiting.reason == open_cases[name][1]:
                del open_cases[name]

    assert not open_cases, {name: seen[name] for name in open_cases}
    for name, (_, _, is_hopeless, words) in cases.items():
        told = seen[name]
        assert told is not None and words in told.text, (name, told)
        assert (told.hopeless_after is not None) == is_hopeless, (name, told)


def test_a_full_quota_is_waited_for(jobs: Jobs, base_image: str) -> None:
    """It has room for one worker at a time; when that one is gone the next begins, and waits for nothing."""
    amounts = {"memory": "6Gi"}
    jobs.make("first", spec(base_image, resources=amounts))
    assert until(lambda: jobs.pod("first") is not None, EXPLAINED_SECONDS)
    jobs.make("second", spec(base_image, resources=amounts))

    assert until(lambda: _reason(jobs.waiting("second")) == "quota", EXPLAINED_SECONDS), jobs.waiting("second")
    waiting = jobs.waiting("second")
    assert waiting is not None and waiting.hopeless_after is None
    assert "has no room for it now" in waiting.text and "used:" in waiting.text


def test_a_suspended_job_says_so(jobs: Jobs, base_image: str) -> None:
    """As Kueue makes them."""
    jobs.make("held", spec(base_image), suspend=True)

    assert until(lambda: _reason(jobs.waiting("held")) == "suspended", EXPLAINED_SECONDS)


def _reason(waiting: Waiting | None) -> str:
    return waiting.reason if waiting is not None else ""


@pytest.mark.timeout(240)
def test_each_end_is_told_with_its_cause(jobs: Jobs, base_image: str) -> None:
    """Evicted, deleted, out of memory, by its own status: with proof by the node's kubelet, the time and the place."""
    greedy = "x = bytearray(2**28); x[:] = b'a' * 2**28"
    jobs.make("evicted", spec(base_image))
    jobs.make("deleted", spec(base_image))
    jobs.make("starved", spec(base_image, "python3", "-c", greedy))
    jobs.make("exited", spec(base_image, "python3", "-c", "raise SystemExit(3)"))
    jobs.make("overdue", spec(base_image), activeDeadlineSeconds=12)
    calls: dict[str, Callable[[Cluster, str], None]] = {"evicted": disruptions.evict, "deleted": disruptions.delete}

    with jobs.kept("overdue"), jobs.kept("evicted"), jobs.kept("deleted"):
        for name, call in calls.items():
            call(jobs.cluster, jobs.name_of(name))
        ends = {name: jobs.end(name) for name in ("evicted", "deleted", "starved", "exited", "overdue")}
        pods = {name: jobs.pod(name) or {} for name in ends}

    told = {name: (end.cause, end.disruption, end.code) for name, end in ends.items()}
    assert told == {
        "evicted": ("evicted", "evicted", 143),
        "deleted": ("deleted", "deleted", 143),
        "starved": ("out-of-memory", "", 137),
        "exited": ("exited", "", 3),
        "overdue": ("deadline", "", 143),
    }
    for pod in pods.values():
        assert remains_of(pod) is not None
        story = story_of(pod, jobs.cluster.api.get(jobs.cluster.path("events"))["items"])
        assert story.node in jobs.cluster.nodes
        assert 0 < story.asked <= story.scheduled <= story.pulled <= story.started <= story.ended


@pytest.mark.timeout(240)
def test_a_pod_that_makes_room_for_a_more_important_one_was_preempted(jobs: Jobs, base_image: str) -> None:
    """In the scheduler's words."""
    node = jobs.cluster.nodes[0]
    where = {"nodeSelector": {"kubernetes.io/hostname": node}}
    free = _free_millis(jobs.cluster, node)
    jobs.make("victim", spec(base_image, resources={"cpu": f"{free}m"}, **where))
    with jobs.kept("victim"), disruptions.priority(jobs.cluster) as priority:
        body = disruptions.preemptor("important", base_image, node, f"{free // 2 + 100}m", priority)
        jobs.cluster.api.create(jobs.cluster.path("pods"), body)
        end = jobs.end("victim")

    assert (end.cause, end.disruption) == ("preempted", "preempted")
    assert "preempt" in end.detail.splitlines()[1]


def _free_millis(cluster: Cluster, node: str) -> int:
    """Most of what nobody on that node has asked for, so that nobody else's pods must make room."""
    found = cluster.api.get(f"/api/v1/pods?fieldSelector=spec.nodeName%3D{node}")["items"]
    asked = sum(
        _millis(each["resources"].get("requests", {}).get("cpu", "0"))
        for pod in found
        if pod["status"].get("phase") in ("Pending", "Running")
        for each in pod["spec"]["containers"]
    )
    return max(200, _millis(cluster.api.get(f"/api/v1/nodes/{node}")["status"]["allocatable"]["cpu"]) - asked - 50)


def _millis(cpu: str) -> int:
    return int(cpu[:-1]) if cpu.endswith("m") else int(float(cpu) * 1000)


@pytest.mark.timeout(400)
def test_a_node_that_is_lost_is_told_without_proof(own_cluster: Cluster, base_image: str) -> None:
    """While its pod still counts as running: the node controller calls it not ready, and nobody else does."""
    jobs = Jobs(own_cluster)
    jobs.make("lost", spec(base_image, nodeSelector={"kubernetes.io/hostname": "node-2"}))
    jobs.name_of("lost")
    before = jobs.pod("lost") or {}
    own_cluster.engine.nodes["node-2"].lose_power()

    assert until(lambda: disruption_of(jobs.pod("lost") or {}) == "node-lost", 120), jobs.pod("lost")
    pod = jobs.pod("lost") or {}
    assert (disruption_of(before), end_of(pod), remains_of(pod)) == ("", None, None)
    assert story_of(pod).disruption == "node-lost"
