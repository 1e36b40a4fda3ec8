"""Kubernetes workers: pods of a cluster. Which cluster, whose pods, and what all pools' pods have in common (`Pods`).

What they run is `images`, where that comes from is `registry`, their size is the pool's.
"""

from __future__ import annotations

from typing import Any

from extensions import kubernetes_kinds as own
from extensions.capacity import Reserve
from extensions.pods import Pods
from pipeline.settings import kinds
from pipeline.settings.choice import Choice
from pipeline.settings.declaration import nested, setting
from pipeline.settings.extension import Extension
from pipeline.settings.providers import Provider


def user_of_images(kubernetes: Extension) -> Provider[Any]:
    """`images.user`"""
    user: Provider[Any] = kubernetes.scope.fleet.images.user
    return user


class Kubernetes(Pods):
    """Settings of the launcher `kubernetes`. Those of pods hold for all pools; a pool overrides them in
    `pools.<name>.kubernetes`."""

    kubeconfig = setting(kinds.Optional(kinds.path), "off")
    """The file that names clusters and credentials. "off": as for `kubectl`, `KUBECONFIG` or `~/.kube/config`; in a pod, its
    service account."""

    context = setting(kinds.text, "")
    """The context of the kubeconfig. Empty: its current one."""

    namespace = setting(own.name, "")
    """The namespace of all that we make. Empty: the context's."""

    user = setting(kinds.Optional(own.owner), user_of_images)
    """User and group by number that workers run as. "off": whom the cluster chooses, as OpenShift does; files of the images
    belong to group 0, which its users are in."""

    store_claim = setting(own.claim, "")
    """The PersistentVolumeClaim (ReadWriteMany), or a folder in it like `claim/ci/fleet`, that is mounted at the folder of the
    store, where `store.url` is a folder that agent and pods share."""

    store_secret = setting(own.name, "")
    """A Secret in the namespace whose keys are the variables the store's client reads, like `AWS_ACCESS_KEY_ID`. Empty: those of
    the agent's own environment, handed over in a Secret of the run; where it has none, workload identity."""

    sweep_kinds = setting(own.sweep_kinds, ())
    """Kinds of objects that *tests* make in the namespace, each as group/version/plural like "acme.io/v1/databases". Those with a
    run's label, which tests find in `DOIT_FLEET_LABEL`, are deleted when the run ends or is aborted, and by `doit sweep`."""

    reserve = nested(Reserve)

    demand = setting(Choice("peak", "average"), "peak")
    """Which of a pool's suites counts for what tests make outside their pods (`suites.<name>.objects`): the one that needs
    most, or the mean of all. With "average" objects may have to wait for room."""
