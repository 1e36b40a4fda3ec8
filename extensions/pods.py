"""What the pods of workers are made of. `kubernetes` says it for all, `pools.<name>.kubernetes` for one pool.

How much a worker may use at most is `cpus` and `memory` of its pool. Values in Kubernetes' own words are handed on as they are.
"""

from __future__ import annotations

from typing import Any

from extensions import kubernetes_kinds as own
from pipeline.settings import kinds
from pipeline.settings.collected import variables
from pipeline.settings.cores import cores
from pipeline.settings.declaration import nested, setting
from pipeline.settings.extension import Extension
from pipeline.settings.providers import Provider

SIX_HOURS = 6 * 3600.0
ENDING_SECONDS = 600.0


def longer_than_run(pods: Extension) -> Provider[Any]:
    """10 minutes more than `run.timeout_seconds`, or 6 hours where that is off"""
    span: Provider[Any] = pods.scope.fleet.run.timeout_seconds.map(
        lambda seconds: SIX_HOURS if seconds is None else seconds + ENDING_SECONDS
    )
    return span


class AfterPreemptions(Extension):
    """Where workers go once too many have been taken away: onto nodes that nobody takes back, for the rest of the run."""

    count = setting(kinds.Optional(kinds.whole), "off")
    """After how many preemptions in a run. "off": never."""

    node_selector = setting(own.node_labels, {})
    """In place of `node_selector`."""

    tolerations = setting(own.tolerations, ())
    """In place of `tolerations`."""

    affinity = setting(own.affinity, {})
    """In place of `affinity`."""

    priority_class = setting(own.name, "")
    """In place of `priority_class`."""


class Pods(Extension):
    """Settings of pods."""

    cpu_request = setting(kinds.Optional(cores), "off")
    """How many processors the scheduler keeps for a worker. "off": as many as it may use, `workers.cpus`; where that is off,
    1."""

    memory_request = setting(kinds.Optional(kinds.size), "off")
    """How much memory the scheduler keeps for a worker. "off": as much as it may use, `workers.memory`; where that is off,
    1 GiB. Less risks that the node has none when it is needed."""

    scratch = setting(kinds.Optional(kinds.size), "2Gi")
    """Size of the volume that holds all that a worker and its tests write: the project's copy, temporary files, logs. Who
    writes more is evicted, where the node counts it. "off": no limit."""

    storage = setting(kinds.Optional(kinds.size), "off")
    """Request and limit of `ephemeral-storage`, for namespaces whose quota demands it; more than `scratch`. "off": none."""

    node_selector = setting(own.node_labels, {})
    """Labels that nodes must have."""

    tolerations = setting(own.tolerations, ())
    """Taints that pods put up with, as in a pod's `tolerations`."""

    affinity = setting(own.affinity, {})
    """As in a pod's `affinity`."""

    topology_spread = setting(own.spreads, ())
    """As in a pod's `topologySpreadConstraints`. One without `labelSelector` is about the workers of the same run and pool."""

    priority_class = setting(own.name, "")
    """The PriorityClass of the pods. Empty: the cluster's default."""

    runtime_class = setting(own.name, "")
    """The RuntimeClass of the pods, like `gvisor`. Empty: the cluster's default."""

    service_account = setting(own.name, "")
    """The ServiceAccount of the pods, for workload identity. They get no token in any case. Empty: the namespace's default."""

    pull_secrets = setting(own.names, ())
    """Secrets in the namespace with which nodes pull images from the registry."""

    environment = setting(variables, {})
    """Environment variables of the workers, which anybody may read who may read pods. Secrets are refused: name them for a
    suite, in `env`, or in `secret_environment`."""

    secret_environment = setting(own.references, {})
    """Environment variables from Secrets that are in the namespace already, each as "secret/key". We never read them."""

    volumes = setting(own.volumes, ())
    """Volumes, each in Kubernetes' words with the place of its mount: `{ mountPath = "/data", configMap = { name = "data" } }`,
    perhaps with `name`, `subPath` and `readOnly`."""

    read_only = setting(kinds.boolean, True)
    """Whether the image cannot be written. The project's folder and those for temporary files can be in any case: an init
    container copies the project into the scratch volume, which a large project may take long over. False spares the copy, and
    tests write into the container's own layer."""

    deadline = setting(kinds.duration, longer_than_run)
    """Duration after which the cluster itself ends the workers of a hiring, whatever became of us."""

    ttl = setting(kinds.duration, 3600)
    """Duration for which ended Jobs and their pods stay, where nobody removed them."""

    queue = setting(own.queue, "")
    """The LocalQueue of Kueue that decides when workers start; until then their Jobs are suspended. Empty: they start at once."""

    labels = setting(own.own_labels, {})
    """More labels of Jobs, pods and Secrets."""

    annotations = setting(own.own_annotations, {})
    """Annotations of Jobs and pods."""

    template = setting(own.template, {})
    """Whatever else: a part of a pod template (`metadata`, `spec`), laid over ours. Its fields win; see docs/kubernetes.md."""

    after_preemptions = nested(AfterPreemptions)


class PoolPods(Pods):
    """Pods of one pool. Whatever is not said here is as `kubernetes` says it for all."""

    def parent(self) -> Extension:
        """Return what holds for all pools."""
        above: Extension = self.scope.fleet.kubernetes
        return above
