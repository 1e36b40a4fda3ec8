"""From settings to the values that pods are made from. Whatever can be seen to be wrong without a cluster is said here.

Secrets end up in what becomes a Secret only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from extensions.dockering import plain, services_of, store_label
from extensions.plugins import Launching
from extensions.store_access import asking, handed_on
from pipeline.errors import UsageError

if TYPE_CHECKING:
    from extensions.fleet import Fleet
    from pipeline.launchers.kubernetes.terms import PodTerms
    from pipeline.model.pools import Pool
    from pipeline.model.services import Service

MOST_SECRET_BYTES = 2**20
"""Of a Secret, by Kubernetes' own rule."""
LOOPBACK = ("localhost", "127.", "[::1]", "::1")


def pod_terms(launching: Launching, pool: Pool) -> PodTerms:
    """Everything the pods of that pool are made from, but images and names. Raises `UsageError`."""
    from attrs import evolve

    fleet = launching.fleet
    pods = fleet.pools[pool.name].kubernetes
    env = {suite: spec.env for suite, spec in launching.specs.items() if suite in pool.suites}
    terms = evolve(_terms(fleet, pool.name), env=env)
    terms = evolve(terms, grace_seconds=terms.grace_seconds + _longest_stop(launching, pool))
    _check_secrets(terms)
    after = pods.after_preemptions
    if after.count.get() is None:
        return terms
    undisturbed = evolve(terms, **_placement(after))
    if undisturbed == terms:
        raise UsageError(
            f"after preemptions, pods of pool {pool.name!r} would run where they run before",
            hint="name the other nodes: kubernetes.after_preemptions.node_selector, .tolerations, .affinity",
        )
    return evolve(terms, preemptions=after.count.get(), undisturbed=undisturbed)


def _longest_stop(launching: Launching, pool: Pool) -> float:
    """How long frameworks say that it may take them to tear down at a stop, in seconds."""
    specs = (spec for suite, spec in launching.specs.items() if suite in pool.suites)
    return max((float(str(spec.options.get("stop_seconds", 0))) for spec in specs), default=0.0)


def _terms(fleet: Fleet, pool: str) -> PodTerms:
    from pipeline.launchers.kubernetes.terms import PodTerms

    kubernetes, pods = fleet.kubernetes, fleet.pools[pool].kubernetes
    volumes, template = tuple(pods.volumes.get()), pods.template.get()
    environment = plain(pods.environment.get(), "kubernetes.environment")
    check_template(template)
    return PodTerms(
        project=fleet.project.name.get(),
        pool=pool,
        store=_store(fleet, volumes, template),
        store_label=store_label(fleet),
        namespace=kubernetes.namespace.get(),
        labels=pods.labels.get(),
        annotations=pods.annotations.get(),
        queue=pods.queue.get(),
        deadline_seconds=float(pods.deadline.get()),
        ttl_seconds=float(pods.ttl.get()),
        **_amounts(fleet, pool),
        topology_spread=tuple(pods.topology_spread.get()),
        runtime_class=pods.runtime_class.get(),
        user=kubernetes.user.get() or "",
        service_account=pods.service_account.get(),
        read_only=pods.read_only.get(),
        pull_secrets=tuple(pods.pull_secrets.get()),
        environment=environment,
        secret_environment=_references(pods.secret_environment.get(), environment),
        volumes=volumes,
        services=_services(fleet, pool),
        store_claim=kubernetes.store_claim.get(),
        store_secret=kubernetes.store_secret.get(),
        template=template,
        store_env=handed_on(fleet, by_secret=bool(kubernetes.store_secret.get())),
        ask_store=asking(fleet, by_secret=bool(kubernetes.store_secret.get())),
        **_placement(pods),
    )


def _placement(pods: Any) -> dict[str, Any]:
    """What differs once too many workers have been taken away."""
    from pipeline.launchers.kubernetes.overlay import laid_over

    return {
        "node_selector": pods.node_selector.get(),
        "tolerations": tuple(pods.tolerations.get()),
        "affinity": laid_over({}, pods.affinity.get()),
        "priority_class": pods.priority_class.get(),
    }


def _amounts(fleet: Fleet, pool: str) -> dict[str, Any]:
    """How much pods may use. Raises `UsageError` for requests above limits."""
    from pipeline.launchers.kubernetes.terms import CPUS, MEMORY_BYTES

    size, pods = fleet.pools[pool], fleet.pools[pool].kubernetes
    cpus, memory = size.cpus.get(), size.memory.get()
    cpu_request, memory_request = pods.cpu_request.get(), pods.memory_request.get()
    if cpus is not None and cpu_request is not None and cpu_request > cpus:
        raise _too_much("cpu_request", f"{cpu_request:g}", "cpus", f"{cpus:g}")
    if memory is not None and memory_request is not None and memory_request > memory:
        raise _too_much("memory_request", f"{memory_request} bytes", "memory", f"{memory} bytes")
    return {
        "cpus": cpus or max(CPUS, cpu_request or 0.0),
        "memory_bytes": memory or max(MEMORY_BYTES, memory_request or 0),
        "cpu_request": cpu_request,
        "memory_request_bytes": memory_request,
        "scratch_bytes": pods.scratch.get(),
        "storage_bytes": pods.storage.get(),
    }


def _too_much(request: str, asked: str, limit: str, most: str) -> UsageError:
    return UsageError(
        f"'kubernetes.{request}' asks for {asked}, but 'workers.{limit}' allows {most}",
        hint="a request is what is kept, at most the limit",
    )


def _services(fleet: Fleet, pool: str) -> tuple[Service, ...]:
    """Raises `UsageError` for names that are no host names."""
    found = services_of(fleet, pool)
    if len({service.name.lower() for service in found}) < len(found):
        raise UsageError(
            "two services differ in capitals only, but host names do not", hint="give them different names"
        )
    for service in found:
        if re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?", service.name.lower()) is None:
            raise UsageError(
                f"service {service.name!r} is no host name, which it is for tests in a pod",
                hint="up to 42 small letters, digits and '-'",
            )
    return found


def _references(given: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    for name in given.keys() & environment.keys():
        raise UsageError(f"variable {name!r} is in both kubernetes.environment and kubernetes.secret_environment")
    return {name: (text.partition("/")[0], text.partition("/")[2]) for name, text in given.items()}


def _store(fleet: Fleet, volumes: Sequence[Mapping[str, Any]], template: Mapping[str, Any]) -> str:
    """The address that workers are given. Raises `UsageError` when pods cannot reach it."""
    url = str(fleet.store.url.get())
    if "://" in url and not url.startswith("file://"):
        _check_endpoint(url, fleet.environment, template)
        return url
    folder = PurePosixPath(url.removeprefix("file://"))
    mounts = [PurePosixPath(str(volume["mountPath"])) for volume in volumes]
    if not fleet.kubernetes.store_claim.get() and not any(at == folder or at in folder.parents for at in mounts):
        raise UsageError(
            f"the store {str(folder)!r} is a folder of this machine, which pods do not have",
            hint='name a store that both can reach, store.url = "s3://…", or the claim of a volume that this machine has mounted '
            "there, too: kubernetes.store_claim",
        )
    return f"file://{folder}"


def _check_endpoint(url: str, environment: Mapping[str, str], template: Mapping[str, Any]) -> None:
    from pipeline.adapters.s3_place import parse_place

    if not url.startswith("s3://") or (template.get("spec") or {}).get("hostNetwork"):
        return
    endpoint = parse_place(url, environment).endpoint or ""
    host = urlsplit(endpoint).netloc.rpartition("@")[2]
    if host.startswith(LOOPBACK):
        raise UsageError(
            f"the store's endpoint {endpoint!r} is this machine's own, and in a pod that is the pod",
            hint="name an address that pods can reach, in store.url or AWS_ENDPOINT_URL_S3",
        )


def check_template(template: Mapping[str, Any]) -> None:
    """What the user's fields may not win over: how we find our pods again, and what a Job demands. Raises `UsageError`."""
    from extensions.kubernetes_kinds import OURS
    from pipeline.launchers.kubernetes.containers import PREPARE, WORKER

    labels = (template.get("metadata") or {}).get("labels") or {}
    ours = [name for name in labels if str(name).startswith((OURS, "app.kubernetes.io/managed-by", "$"))]
    if ours:
        raise _not_yours(f"the label {ours[0]!r}", "by it pods are found again")
    spec = template.get("spec") or {}
    if spec.get("restartPolicy", "Never") != "Never":
        raise _not_yours("restartPolicy", "a worker is born once")
    for group, name in (("containers", WORKER), ("initContainers", PREPARE)):
        for item in spec.get(group) or ():
            if not isinstance(item, Mapping) or not (item.get("name") or "$patch" in item):
                raise UsageError(f"in kubernetes.template, a container of {group!r} has no name: {item!r}")
            if "$patch" in item and item.get("name", name) == name:
                raise _not_yours(f"container {name!r}", "without it no tests run")


def _not_yours(what: str, why: str) -> UsageError:
    return UsageError(f"kubernetes.template may not change {what}: {why}")


def _check_secrets(terms: PodTerms) -> None:
    from pipeline.launchers.given import secrets_line

    size = len(secrets_line(terms))
    if size > MOST_SECRET_BYTES:
        raise UsageError(
            f"the environment of the suites of pool {terms.pool!r} has {size} bytes, a Secret holds {MOST_SECRET_BYTES}",
            hint="put large values into files of the project, or into a volume: kubernetes.volumes",
        )
