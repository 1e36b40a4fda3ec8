"""Lay a user's part of a manifest over ours, as a strategic merge patch would: the user's fields win. Pure.

Maps merge key by key. Lists whose items have a name in the API (`KEYS`) merge item by item, new items last; any other list
is replaced. `None`, or a table with `"$patch" = "delete"`, removes; `"$patch" = "replace"` replaces instead of merging. See
"Strategic Merge Patch" in the docs of sigs.k8s.io/structured-merge-diff and `patchMergeKey` in k8s.io/api.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "containers": ("name",),
    "initContainers": ("name",),
    "ephemeralContainers": ("name",),
    "volumes": ("name",),
    "env": ("name",),
    "volumeMounts": ("mountPath",),
    "volumeDevices": ("devicePath",),
    "ports": ("containerPort", "protocol"),
    "imagePullSecrets": ("name",),
    "hostAliases": ("ip",),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
    "resourceClaims": ("name",),
    "schedulingGates": ("name",),
}
"""Lists by name, with the fields that tell their items apart."""
PATCH: Final = "$patch"


def laid_over(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """A new map; neither argument is changed."""
    if over.get(PATCH) == "replace":
        base = {}
    result = {name: _plain(value) for name, value in base.items()}
    for name, value in over.items():
        if name == PATCH:
            continue
        if _removes(value):
            result.pop(name, None)
        else:
            result[name] = _one(name, result.get(name), value)
    return result


def _one(name: str, base: object, over: Any) -> Any:
    if isinstance(over, Mapping):
        return laid_over(base if isinstance(base, Mapping) else {}, over)
    if name in KEYS and _is_list(over) and all(isinstance(item, Mapping) for item in over):
        return _items(KEYS[name], base if _is_list(base) else [], over)
    return _plain(over)


def _items(keys: tuple[str, ...], base: Any, over: Sequence[Mapping[str, Any]]) -> list[Any]:
    if any(item.get(PATCH) == "replace" and len(item) == 1 for item in over):
        base, over = [], [item for item in over if len(item) > 1]
    result = {_key(keys, item): _plain(item) for item in base}
    for item in over:
        key = _key(keys, item)
        if item.get(PATCH) == "delete":
            result.pop(key, None)
        else:
            result[key] = laid_over(result.get(key, {}), item)
    return list(result.values())


def _key(keys: tuple[str, ...], item: Mapping[str, Any]) -> tuple[object, ...]:
    return tuple(item.get(key, "TCP" if key == "protocol" else None) for key in keys)


def _removes(value: object) -> bool:
    return value is None or (isinstance(value, Mapping) and value.get(PATCH) == "delete")


def _is_list(value: object) -> bool:
    return isinstance(value, (list, tuple))


def _plain(value: Any) -> Any:
    """A copy of maps and lists, as JSON knows them, without what says how to merge."""
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items() if name != PATCH}
    return [_plain(inner) for inner in value] if _is_list(value) else value
