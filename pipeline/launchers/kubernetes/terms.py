"""What the settings say of the pods of one pool, as plain values. Words of the Kubernetes API; it makes no manifest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from attrs import field, frozen

from pipeline.model.access import UNTIL
from pipeline.model.services import Service

Table = Mapping[str, Any]
"""A part of a manifest, as the user gave it."""
CPUS: Final = 1.0
MEMORY_BYTES: Final = 2**30
SCRATCH_BYTES: Final = 2 * 2**30
DEADLINE_SECONDS: Final = 6 * 3600.0
TTL_SECONDS: Final = 3600.0
GRACE_SECONDS: Final = 15.0
"""A worker seals within 5 s of SIGTERM, its services go after it; spot nodes of some clouds leave 15 s in all."""


@frozen(kw_only=True)
class PodTerms:
    """What the pods of a pool are made from, but for image and names."""

    project: str
    pool: str
    store: str
    """Its address, as workers are given it."""
    store_label: str
    namespace: str = ""
    """Empty: that of the context."""

    # Whose objects they are, and how long they last.
    labels: Mapping[str, str] = field(factory=dict)
    """The user's own."""
    annotations: Mapping[str, str] = field(factory=dict)
    queue: str = ""
    """Of Kueue, which then decides when a Job starts: it is made suspended."""
    deadline_seconds: float = DEADLINE_SECONDS
    ttl_seconds: float = TTL_SECONDS
    grace_seconds: float = GRACE_SECONDS

    # What they may use. Requests that are None are as the limits.
    cpus: float = CPUS
    cpu_request: float | None = None
    memory_bytes: int = MEMORY_BYTES
    memory_request_bytes: int | None = None
    scratch_bytes: int | None = SCRATCH_BYTES
    """Of the volume that holds what they write: project, temporary files, logs. None: no limit."""
    storage_bytes: int | None = None
    """Request and limit of `ephemeral-storage`, where the cluster counts that."""

    # Where they run.
    node_selector: Mapping[str, str] = field(factory=dict)
    tolerations: tuple[Table, ...] = ()
    affinity: Table = field(factory=dict)
    topology_spread: tuple[Table, ...] = ()
    """Constraints without `labelSelector` are about the pods of the same run and pool."""
    priority_class: str = ""
    runtime_class: str = ""

    # Who they are.
    user: str = ""
    """`uid` or `uid:gid`. Empty: whom the cluster chooses (OpenShift)."""
    service_account: str = ""
    read_only: bool = True
    """Whether the image cannot be written; the project's folder and those for temporary files can be in any case."""
    pull_secrets: tuple[str, ...] = ()

    # What they find.
    environment: Mapping[str, str] = field(factory=dict)
    secret_environment: Mapping[str, tuple[str, str]] = field(factory=dict)
    """(Secret, key) by variable: Secrets that are there already."""
    volumes: tuple[Table, ...] = ()
    """Each a volume of the pod with `mountPath`, and perhaps `subPath` and `readOnly`, of its mount."""
    services: tuple[Service, ...] = ()
    store_claim: str = ""
    """`claim` or `claim/path/in/it`: what is mounted at the store's folder."""
    store_secret: str = ""
    """A Secret that is there already, whose keys are what the store's client reads from the environment."""
    template: Table = field(factory=dict)
    """Laid over the pod template: `metadata`, `spec`."""

    # What only ever enters a Secret.
    env: Mapping[str, Mapping[str, str]] = field(factory=dict, repr=False)
    """Environment of the tests by suite."""
    store_env: Mapping[str, str] = field(factory=dict, repr=False)
    """What the store's client reads from the environment."""
    ask_store: Callable[[], Mapping[str, str]] | None = field(default=None, repr=False)
    """Finds `store_env` anew where it is not known beforehand, or expires."""

    # What comes after trouble.
    preemptions: int | None = None
    """After so many in a run, what is started anew is made from `undisturbed`."""
    undisturbed: PodTerms | None = None

    @property
    def until(self) -> str:
        """When `store_env` expires; empty: never, or nobody renews it."""
        return self.store_env.get(UNTIL, "")
