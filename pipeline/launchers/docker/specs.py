"""What containers of workers and services are made from: names, labels, limits, environment. Pure; no secret is in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from attrs import evolve, field, frozen

from pipeline.launchers.given import scratch_of
from pipeline.model.containers import ContainerSpec
from pipeline.model.images import Places
from pipeline.model.services import Service
from pipeline.ports.places import Hiring

RUN, TERM, WORKER, PROJECT, STORE, SERVICE = (
    f"doit-fleet.{word}" for word in ("run", "term", "worker", "project", "store", "service")
)
"""Labels. `doit-fleet.store` is the digest of the store's address: whose run it is."""
TEMPORARY = "exec,mode=1777"
TEMPORARY_FOLDERS = ("/tmp", "/var/tmp")


@frozen(kw_only=True)
class DockerTerms:
    """What the settings say of containers, as plain values."""

    project: str
    store: str
    """Its address, as workers are given it."""
    store_label: str
    mounts: tuple[str, ...] = ()
    """The store's folder among them, if it is one."""
    user: str = ""
    cpus: float | None = None
    memory_bytes: int | None = None
    network: str = ""
    privileges: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(factory=dict)
    read_only: bool = True
    services: tuple[Service, ...] = ()
    env: Mapping[str, Mapping[str, str]] = field(factory=dict, repr=False)
    """Environment of the tests by suite, secrets among it: only ever sent to a worker's standard input."""
    store_env: Mapping[str, str] = field(factory=dict, repr=False)
    """What the store's client reads from the environment; sent the same way."""
    ask_store: Callable[[], Mapping[str, str]] | None = field(default=None, repr=False)
    """Finds `store_env` anew where it is not known beforehand, or expires."""


def name_of(hiring: Hiring) -> str:
    """A worker's container."""
    return f"doit-fleet-{hiring.run}-{hiring.worker}-{hiring.nonce[:8]}"


def labels_of(terms: DockerTerms, hiring: Hiring) -> dict[str, str]:
    """Whose a container is."""
    return {
        RUN: hiring.run,
        TERM: str(hiring.term),
        WORKER: hiring.worker,
        PROJECT: terms.project,
        STORE: terms.store_label,
    }


def worker_spec(terms: DockerTerms, hiring: Hiring, image: str, places: Places, *, network: str) -> ContainerSpec:
    """A worker's container; `network` is where its services are, if it has any."""
    given = {
        "RUN": hiring.run,
        "WORKER": hiring.worker,
        "NONCE": hiring.nonce,
        "SLOT": str(hiring.slot),
        "TERM": str(hiring.term),
        "STORE": terms.store,
        "LAUNCHER": "docker",
        "IDENTITY": json.dumps(hiring.identity, sort_keys=True),
        "SECRETS": "stdin",
        "SCRATCH": scratch_of(places),
    }
    return ContainerSpec(
        name=name_of(hiring),
        image=image,
        labels=labels_of(terms, hiring),
        environment={**terms.environment, **{f"DOIT_FLEET_{name}": value for name, value in given.items()}},
        user=terms.user,
        cpus=terms.cpus,
        memory_bytes=terms.memory_bytes,
        network=network or terms.network,
        mounts=terms.mounts,
        volumes=(places.project, scratch_of(places)) if terms.read_only else (scratch_of(places),),
        tmpfs=dict.fromkeys(TEMPORARY_FOLDERS, TEMPORARY) if terms.read_only else {},
        read_only=terms.read_only,
        privileges=terms.privileges,
        has_input=True,
    )


def service_spec(terms: DockerTerms, hiring: Hiring, service: Service, *, first: str) -> ContainerSpec:
    """A service's container. The first one owns the network that the others and the worker live in."""
    spec = ContainerSpec(
        name=f"{name_of(hiring)}-{service.name}",
        image=service.image,
        labels={**labels_of(terms, hiring), SERVICE: service.name},
        command=service.command,
        environment=service.environment,
        user=service.user,
        cpus=service.cpus,
        memory_bytes=service.memory_bytes,
        drops_privileges=False,  # An image of somebody else's, which may begin as root and give that up itself.
    )
    if first:
        return evolve(spec, network=f"container:{first}")
    return evolve(spec, network=terms.network, hosts={each.name: "127.0.0.1" for each in terms.services})
