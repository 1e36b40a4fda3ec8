"""The rights that the agent needs in a cluster, and what for; `deploy/kubernetes/` grants the same. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from attrs import frozen

from pipeline.launchers.kubernetes.names import MANAGED_BY, OURS

RBAC: Final = "rbac.authorization.k8s.io"


@frozen(kw_only=True)
class Right:
    """One verb on one kind of objects."""

    group: str = ""
    """API group without version; empty: the core's."""
    resource: str
    part: str = ""
    """Subresource, such as `log`."""
    verb: str
    why: str
    """What cannot be done without it; follows "without it"."""
    everywhere: bool = False
    """Whether in all namespaces."""

    @property
    def name(self) -> str:
        """For people, as `kubectl auth can-i` takes it."""
        kind = f"{self.resource}.{self.group}" if self.group else self.resource
        return f"{self.verb} {kind}{f'/{self.part}' if self.part else ''}"

    @property
    def rule(self) -> dict[str, Any]:
        """As a rule of a Role."""
        resource = f"{self.resource}/{self.part}" if self.part else self.resource
        return {"apiGroups": [self.group], "resources": [resource], "verbs": [self.verb]}


def _rights(resource: str, verbs: dict[str, str], *, group: str = "", part: str = "") -> tuple[Right, ...]:
    return tuple(Right(group=group, resource=resource, part=part, verb=verb, why=why) for verb, why in verbs.items())


NEEDED: Final = (
    *_rights(
        "jobs",
        {
            "create": "no worker can be started",
            "list": "workers of earlier agents are not found, and `doit sweep` sees nothing",
            "watch": "nobody hears that a Job has failed",
            "delete": "workers cannot be stopped",
            "deletecollection": "nothing can be cleared away at a run's end",
        },
        group="batch",
    ),
    *_rights(
        "pods",
        {
            "get": "it is not known what became of a worker",
            "list": "workers are not found",
            "watch": "it is not known what becomes of workers",
            "delete": "workers cannot be stopped",
            "deletecollection": "nothing can be cleared away at a run's end",
        },
    ),
    *_rights("pods", {"get": "nobody sees what a worker printed"}, part="log"),
    *_rights(
        "secrets",
        {
            "create": "workers get no environment for their tests, nor the store's credentials",
            "deletecollection": "the Secrets of a run stay behind when it ends",
        },
    ),
    *_rights("events", {"list": "nobody can say why a pod waits", "watch": "nobody can say why a pod waits"}),
    *_rights("resourcequotas", {"list": 'workers.count = "auto" may ask for more than the quota allows'}),
)
"""In the namespace."""
CAPACITY: Final = tuple(
    Right(resource=resource, verb="list", why='workers.count = "auto" goes by quotas alone', everywhere=True)
    for resource in ("nodes", "pods")
)
"""In the whole cluster, and only for `workers.count = "auto"`."""


def needed_rights(sweep_kinds: Iterable[str] = ()) -> tuple[Right, ...]:
    """In the namespace; with those for kinds `group/version/plural` that are swept."""
    swept: list[Right] = []
    for kind in sweep_kinds:
        *group, _, plural = kind.split("/")
        why = f"what tests leave of {plural!r} stays behind"
        verbs = dict.fromkeys(("list", "delete", "deletecollection"), why)
        swept += _rights(plural, verbs, group=group[0] if group else "")
    return (*NEEDED, *swept)


def rules_of(rights: Sequence[Right]) -> list[dict[str, Any]]:
    """Rules of a Role that grants them."""
    return [right.rule for right in rights]


def manifest_of(rights: Sequence[Right]) -> dict[str, Any]:
    """A service account, the Role of these rights, and that it has it: as `deploy/kubernetes/role.yaml`, in one List."""
    about = {"name": OURS, "labels": {MANAGED_BY: OURS}}
    role = {"apiGroup": RBAC, "kind": "Role", "name": OURS}
    subject = {"kind": "ServiceAccount", "name": OURS}
    objects: list[dict[str, Any]] = [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": about},
        {"apiVersion": f"{RBAC}/v1", "kind": "Role", "metadata": about, "rules": rules_of(rights)},
        {"apiVersion": f"{RBAC}/v1", "kind": "RoleBinding", "metadata": about, "roleRef": role, "subjects": [subject]},
    ]
    return {"apiVersion": "v1", "kind": "List", "items": objects}
