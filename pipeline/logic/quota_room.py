"""How many more pods of one kind the quotas of a namespace let in, and which of them says so.

Scopes and names of resources as in the reference's "Resource Quotas". Amounts are billionths. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.logic.pod_requests import Amounts, exact_requests_of, limits_of
from pipeline.model.kubernetes_quantities import ONE, parse_quantity

Object = Mapping[str, Any]
PLAIN = ("cpu", "memory", "ephemeral-storage")
"""In a quota, what has no prefix means requests."""


def use_of(pod: Object, beside: Amounts, jobs: int) -> Amounts:
    """What one worker takes of quotas, by their names of resources: its pod, its `jobs`, and what its tests make."""
    requests, limits = exact_requests_of(pod), limits_of(pod)
    for name, amount in beside.items():
        requests[name] = requests.get(name, 0) + amount
        limits[name] = limits.get(name, 0) + amount
    found = {"pods": ONE, "count/pods": ONE, "count/jobs.batch": jobs * ONE}
    found |= {f"requests.{name}": amount for name, amount in requests.items()}
    found |= {f"limits.{name}": amount for name, amount in limits.items()}
    found |= {name: requests[name] for name in requests if name in PLAIN or name.startswith("hugepages-")}
    return found


def left_of(quota: Object) -> Amounts:
    """What is left of each resource that a quota bounds."""
    told = quota.get("status") or {}
    hard = told.get("hard") or quota["spec"].get("hard") or {}
    used = told.get("used") or {}
    return {name: parse_quantity(value) - parse_quantity(used.get(name, "0")) for name, value in hard.items()}


def counts(quota: Object, spec: Object) -> bool:
    """Whether a quota counts pods of that kind. Its other resources, such as Jobs, it counts only without scopes."""
    about = quota["spec"]
    named = [{"scopeName": name, "operator": "Exists"} for name in about.get("scopes") or ()]
    named += (about.get("scopeSelector") or {}).get("matchExpressions") or ()
    return all(_is_in(each, spec) for each in named)


def _is_in(scope: Object, spec: Object) -> bool:
    name = scope["scopeName"]
    if name == "PriorityClass":
        return _has_priority(scope, spec.get("priorityClassName") or "")
    ends = spec.get("activeDeadlineSeconds") is not None
    has_size = any(each.get("resources") for each in (spec, *spec["containers"], *(spec.get("initContainers") or ())))
    known = {"Terminating": ends, "NotTerminating": not ends, "BestEffort": not has_size, "NotBestEffort": has_size}
    return known.get(name, False)


def _has_priority(scope: Object, name: str) -> bool:
    operator, values = scope.get("operator", "Exists"), scope.get("values") or ()
    if operator in ("Exists", "DoesNotExist"):
        return bool(name) is (operator == "Exists")
    return (name in values) is (operator == "In")
