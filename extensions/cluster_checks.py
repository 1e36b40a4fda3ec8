"""What `doctor` looks at in a cluster: is it there, may we do what a run needs, would it take our pods.

Nothing is made: rights are asked for one by one, and a Job of each pool is only tried (`dryRun`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from extensions.plugins import Launching
from extensions.pod_terms import pod_terms
from extensions.podding import client_of
from pipeline.errors import FleetError
from pipeline.stages.agent import Check

if TYPE_CHECKING:
    from extensions.agent import LocalAgent
    from pipeline.adapters.kubernetes_api import KubernetesApi, Object
    from pipeline.adapters.kubernetes_client import KubernetesClient
    from pipeline.launchers.kubernetes.rights import Right
    from pipeline.launchers.kubernetes.terms import PodTerms
    from pipeline.model.pools import Pool

APPLY = "have somebody apply what is needed who may: `doit-fleet rights | kubectl apply --namespace {} --filename -`"
LEVEL = "pod-security.kubernetes.io/enforce"
STORAGE = ("requests.ephemeral-storage", "limits.ephemeral-storage")


def cluster_checks(agent: LocalAgent) -> Iterator[Check]:
    """All checks; the first that fails for want of a cluster is the last."""
    try:
        client = client_of(agent.fleet)
    except FleetError as error:
        yield Check(name="cluster", good=False, text=error.message, hint=error.hint)
        return
    try:
        yield from _Cluster(agent, client).checks()
    finally:
        client.close()


class _Cluster:
    """One cluster and the namespace of our pods."""

    def __init__(self, agent: LocalAgent, client: KubernetesClient) -> None:
        from pipeline.adapters.kubernetes_api import KubernetesApi

        self._agent, self._client, self._api = agent, client, KubernetesApi(client)
        self._missing: list[Right] = []
        self._namespace = agent.fleet.kubernetes.namespace.get() or client.namespace

    def checks(self) -> Iterator[Check]:
        cluster = _try("cluster", self._version)
        yield cluster
        if not cluster.good:
            return
        yield _try("namespace", self._look_at_namespace)
        yield from self._rights()
        if self._may("resourcequotas"):
            yield _try("quota", self._quota)
        if any(self._agent.fleet.pools[suite.pool].count.get() == "auto" for suite in self._agent.suites()):
            yield _try("room", self._capacity)
        try:
            pools = self._agent.workforce.pools
        except FleetError:
            return  # Said by the check of workers.
        yield _try("images for nodes", self._pulling)
        for pool in pools:
            yield _try(f"pods of pool {pool.name!r}", partial(self._try_job, pool))

    def _may(self, resource: str) -> bool:
        """Whether nothing on that kind of object is among what is missing, and told already."""
        return all(right.resource != resource for right in self._missing)

    def _version(self) -> str:
        told = self._api.get("/version")
        return f"Kubernetes {told['gitVersion']}, namespace {self._namespace!r}"

    def _look_at_namespace(self) -> str:
        """Which Pod Security level it enforces. What may not be read is said, for it is no need."""
        from pipeline.adapters.kubernetes_api import path_of
        from pipeline.adapters.kubernetes_errors import ClusterRefuses

        try:
            found = self._api.find(path_of("namespaces", name=self._namespace))
        except ClusterRefuses as refused:
            if refused.status != 403:
                raise
            return f"{self._namespace!r}, whose Pod Security level may not be read"
        if found is None:
            raise FleetError(
                f"there is no namespace {self._namespace!r}",
                hint=f"`kubectl create namespace {self._namespace}`, or name another: kubernetes.namespace",
            )
        level = (found["metadata"].get("labels") or {}).get(LEVEL)
        return f"{self._namespace!r} enforces Pod Security {level!r}" if level else f"{self._namespace!r} takes any pod"

    def _rights(self) -> Iterator[Check]:
        """Each that is missing by itself, the way out after the last."""
        from pipeline.launchers.kubernetes.rights import needed_rights

        needed = needed_rights(self._agent.fleet.kubernetes.sweep_kinds.get())
        try:
            self._missing = missing_rights(self._api, self._namespace, needed)
        except FleetError as error:
            yield Check(name="rights", good=False, text=error.message, hint=error.hint)
            return
        if not self._missing:
            yield Check(name="rights", good=True, text=f"all {len(needed)} that are needed in {self._namespace!r}")
        out = APPLY.format(self._namespace)
        if len(self._missing) == len(needed):
            out = f"is there a namespace {self._namespace!r}? then {out}"
        for right in self._missing:
            yield Check(
                name=f"right to {right.name}",
                good=False,
                text=f"missing in {self._namespace!r}; without it {right.why}",
                hint=out if right is self._missing[-1] else "",
            )

    def _capacity(self) -> str:
        """What `auto` goes by; no need."""
        from pipeline.launchers.kubernetes.rights import CAPACITY

        missing = missing_rights(self._api, self._namespace, CAPACITY)
        names = " and ".join(right.resource for right in missing)
        if missing:
            return f"counted by quotas alone: {names} of the whole cluster may not be listed, see deploy/kubernetes/capacity.yaml"
        return "counted by nodes, pods and quotas"

    def _quota(self) -> str:
        from pipeline.adapters.kubernetes_api import path_of

        quotas = self._api.list(path_of("resourcequotas", namespace=self._namespace))[0]
        hard = {name for quota in quotas for name in quota["spec"].get("hard", {})}
        names = {suite.pool for suite in self._agent.suites()}
        for name in sorted(names) if hard & {*STORAGE} else ():
            if self._agent.fleet.pools[name].kubernetes.storage.get() is None:
                raise FleetError(
                    f"the quota counts ephemeral storage, but pods of pool {name!r} say nothing of it",
                    hint='say how much they may use, more than their scratch: kubernetes.storage = "3Gi"',
                )
        return "; ".join(map(_told, quotas)) or "none"

    def _pulling(self) -> str:
        """What nodes need to have the images; whether they do, only a pod can tell."""
        from extensions.registry import credentials_of
        from pipeline.adapters.registry_credentials import credentials_for

        host = self._agent.imaging.repository.partition("/")[0]
        if host.startswith(("127.", "localhost", "[::1]")):
            return f"pulled from {host}, which on each node is the node itself"
        secrets = {name for suite in self._agent.suites() for name in self._pull_secrets(suite.pool)}
        ours = credentials_of(self._agent.fleet).get(host) or credentials_for(host)
        if secrets or ours.is_nobody:
            return f"pulled from {host} with {', '.join(sorted(secrets)) or 'no password'}"
        return f"pulled from {host}, where we need a password; nodes must have one of their own, or kubernetes.pull_secrets"

    def _pull_secrets(self, pool: str) -> Sequence[str]:
        found: Sequence[str] = self._agent.fleet.pools[pool].kubernetes.pull_secrets.get()
        return found

    def _try_job(self, pool: Pool) -> str:
        """Make a Job, but for real. Raises what the server refuses with, or warns of."""
        from pipeline.adapters.kubernetes_access import warnings_about
        from pipeline.adapters.kubernetes_api import path_of
        from pipeline.launchers.kubernetes.jobs import job_of
        from pipeline.model.images import Places
        from pipeline.ports.places import Hiring

        terms = pod_terms(self._launching(), pool)
        hiring = Hiring(run="doctor", term=0, worker=f"w{pool.first}-0", nonce=32 * "0", slot=pool.first)
        image = f"{self._agent.imaging.repository}:doctor"
        for one in filter(None, (terms, terms.undisturbed)):
            job = job_of(one, [hiring], image, Places())
            path = path_of("jobs", group="batch/v1", namespace=self._namespace)
            warned = warnings_about(self._client, path, job) if self._may("jobs") else []
            if warned:
                raise FleetError(
                    "; ".join(warned),
                    hint="see kubernetes.template, kubernetes.volumes and services: they are added to ours",
                )
            self._look_at_references(one)
        told = "taken by the server" if self._may("jobs") else "not tried"
        return f"{told}: {terms.cpus:g} processors, {terms.memory_bytes // 2**20} MiB each"

    def _launching(self) -> Launching:
        """As far as pods are made from it."""
        workforce, fleet = self._agent.workforce, self._agent.fleet
        return Launching(specs=workforce.specs, slots=0, lease_seconds=0.0, scratch=Path(), fleet=fleet)

    def _look_at_references(self, terms: PodTerms) -> None:
        """Objects that pods name, as far as they may be read. Raises `FleetError` for one that is not there."""
        from pipeline.adapters.kubernetes_api import path_of

        named = [
            ("serviceaccounts", terms.service_account),
            ("persistentvolumeclaims", terms.store_claim.split("/")[0]),
        ]
        named += [("secrets", name) for name in (*terms.pull_secrets, terms.store_secret)]
        named += [("secrets", secret) for secret, _ in terms.secret_environment.values()]
        for resource, name in named:
            if name and self._is_absent(path_of(resource, namespace=self._namespace, name=name)):
                raise FleetError(
                    f"there is no {name!r} among {resource} of namespace {self._namespace!r}", hint="make it"
                )
        path = path_of("priorityclasses", group="scheduling.k8s.io/v1", name=terms.priority_class)
        if terms.priority_class and self._is_absent(path):
            raise FleetError(
                f"there is no PriorityClass {terms.priority_class!r}", hint="see `kubectl get priorityclasses`"
            )

    def _is_absent(self, path: str) -> bool:
        from pipeline.adapters.kubernetes_errors import ClusterRefuses

        try:
            return self._api.find(path) is None
        except ClusterRefuses:
            return False  # Not ours to read: the pods' events will tell.


def missing_rights(api: KubernetesApi, namespace: str, rights: Sequence[Right]) -> list[Right]:
    """Those that we do not have. Raises `EngineError` when nobody answers."""
    from pipeline.adapters.kubernetes_access import is_allowed

    return [
        right
        for right in rights
        if not is_allowed(
            api,
            right.verb,
            right.resource,
            group=right.group,
            part=right.part,
            namespace="" if right.everywhere else namespace,
        )
    ]


def _told(quota: Object) -> str:
    """What is left of a quota is the server's to say; people want used of hard."""
    hard, used = quota["spec"].get("hard", {}), quota.get("status", {}).get("used", {})
    told = ", ".join(f"{name} {used.get(name, '?')} of {most}" for name, most in sorted(hard.items()))
    return f"{quota['metadata']['name']}: {told}"


def _try(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name=name, good=True, text=look())
    except FleetError as error:
        return Check(name=name, good=False, text=error.message, hint=error.hint)
