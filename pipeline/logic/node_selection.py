"""Whether a node may take a pod at all, by what the pod says of nodes: taints, node selector, required node affinity.

As the scheduler's plug-ins TaintToleration, NodeUnschedulable, NodeName and NodeAffinity decide. What depends on other pods
(pod affinity, spread, ports, volumes) is left to the scheduler. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Object = Mapping[str, Any]
REPELS = ("NoSchedule", "NoExecute")
CORDONED = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}


def why_not(spec: Object, node: Object) -> str:
    """Why that node takes no such pod, in a few words; empty: it may."""
    about = node["spec"]
    if not _is_ready(node):
        return "not ready"
    tolerations = spec.get("tolerations") or ()
    if about.get("unschedulable") and not _is_tolerated(CORDONED, tolerations):
        return "cordoned"
    for taint in about.get("taints") or ():
        if taint.get("effect") in REPELS and not _is_tolerated(taint, tolerations):
            value = f"={taint['value']}" if taint.get("value") else ""
            return f"taint {taint['key']}{value}:{taint['effect']}"
    return "" if _is_selected(spec, node) else "not among the nodes that the pod selects"


def _is_ready(node: Object) -> bool:
    conditions = (node.get("status") or {}).get("conditions") or ()
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def _is_tolerated(taint: Object, tolerations: Sequence[Object]) -> bool:
    return any(_tolerates(one, taint) for one in tolerations)


def _tolerates(toleration: Object, taint: Object) -> bool:
    if toleration.get("effect") and toleration["effect"] != taint.get("effect"):
        return False
    if toleration.get("key") and toleration["key"] != taint["key"]:
        return False
    operator = toleration.get("operator") or "Equal"
    if operator == "Exists":
        return True
    return operator == "Equal" and (toleration.get("value") or "") == (taint.get("value") or "")


def _is_selected(spec: Object, node: Object) -> bool:
    name = node["metadata"]["name"]
    labels = node["metadata"].get("labels") or {}
    if spec.get("nodeName") not in (None, "", name):
        return False
    if any(labels.get(key) != value for key, value in (spec.get("nodeSelector") or {}).items()):
        return False
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    return required is None or any(_has(term, name, labels) for term in required.get("nodeSelectorTerms") or ())


def _has(term: Object, name: str, labels: Mapping[str, str]) -> bool:
    """Whether all of a term holds; one that says nothing selects nothing."""
    by_label, by_field = term.get("matchExpressions") or (), term.get("matchFields") or ()
    if not by_label and not by_field:
        return False
    return all(_holds(each, labels) for each in by_label) and all(
        _holds(each, {"metadata.name": name}) for each in by_field
    )


def _holds(expression: Object, labels: Mapping[str, str]) -> bool:
    operator, values = expression["operator"], expression.get("values") or ()
    there, value = expression["key"] in labels, labels.get(expression["key"], "")
    if operator in ("Exists", "DoesNotExist"):
        return there is (operator == "Exists")
    if operator in ("In", "NotIn"):
        return (there and value in values) is (operator == "In")
    return there and _is_beyond(operator, value, values)


def _is_beyond(operator: str, value: str, values: Sequence[str]) -> bool:
    try:
        found, bound = int(value), int(values[0])
    except (ValueError, IndexError):
        return False
    return {"Gt": found > bound, "Lt": found < bound}.get(operator, False)
