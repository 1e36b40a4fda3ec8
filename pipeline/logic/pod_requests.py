"""What a pod asks for, as the scheduler and the quota count it: containers, init steps, sidecars, overhead.

As `PodRequests` and `PodLimits` of `k8s.io/component-helpers/resource` (1.34). Amounts are billionths by resource. Pure;
pods are the API's own dictionaries.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pipeline.model.kubernetes_quantities import MILLI, ONE, parse_quantity, round_up

Object = Mapping[str, Any]
Amounts = dict[str, int]
PODS = "pods"
WHOLE = ("cpu", "memory")
"""What a pod as a whole may ask for, and pages besides."""


def requests_of(pod: Object) -> Amounts:
    """Requests, one `pods` among them; cpu to thousandths and all else to wholes, as the scheduler counts."""
    found = _count(pod, "requests")
    return {
        **{name: round_up(amount, MILLI if name == "cpu" else ONE) for name, amount in found.items()},
        PODS: ONE,
    }


def limits_of(pod: Object) -> Amounts:
    """Limits."""
    return _count(pod, "limits")


def exact_requests_of(pod: Object) -> Amounts:
    """Requests, as the quota counts them."""
    return _count(pod, "requests")


def _count(pod: Object, kind: str) -> Amounts:
    spec = pod["spec"]
    told = pod.get("status") or {}
    known = {one["name"]: one for one in told.get("containerStatuses") or ()} if kind == "requests" else {}
    known |= {one["name"]: one for one in told.get("initContainerStatuses") or ()} if kind == "requests" else {}
    refused = any(
        each["type"] == "PodResizePending" and each.get("reason") == "Infeasible"
        for each in told.get("conditions") or ()
    )
    total = _sum(_of(one, kind, known.get(one["name"]), refused) for one in spec["containers"])
    sidecars: Amounts = {}
    most: Amounts = {}
    for one in spec.get("initContainers") or ():
        own = _of(one, kind, known.get(one["name"]), refused)
        if one.get("restartPolicy") == "Always":
            total, sidecars = _sum((total, own)), _sum((sidecars, own))
            step = sidecars
        else:
            step = _sum((own, sidecars))
        most = _larger(most, step)
    total = _larger(total, most)
    whole = _of(spec, kind, None, False)
    total |= {name: amount for name, amount in whole.items() if name in WHOLE or name.startswith("hugepages-")}
    overhead = _parsed(spec.get("overhead"))
    if kind == "limits":
        overhead = {name: amount for name, amount in overhead.items() if total.get(name)}
    return _sum((total, overhead))


def _of(one: Object, kind: str, told: Object | None, refused: bool) -> Amounts:
    """One container's; requests that are missing are its limits, as the API server fills them in. While it is being
    resized, the largest of what is asked for and what it has."""
    resources = one.get("resources") or {}
    asked = _parsed(resources.get(kind))
    if kind == "requests":
        asked = {**_parsed(resources.get("limits")), **asked}
    if not told:
        return asked
    has = _larger(_parsed((told.get("resources") or {}).get(kind)), _parsed(told.get("allocatedResources")))
    return has if refused else _larger(asked, has)


def _parsed(given: Mapping[str, str] | None) -> Amounts:
    return {name: parse_quantity(value) for name, value in (given or {}).items()}


def _sum(parts: Iterable[Amounts]) -> Amounts:
    total: Amounts = {}
    for part in parts:
        for name, amount in part.items():
            total[name] = total.get(name, 0) + amount
    return total


def _larger(one: Amounts, other: Amounts) -> Amounts:
    return {name: max(one.get(name, 0), other.get(name, 0)) for name in {**one, **other}}
