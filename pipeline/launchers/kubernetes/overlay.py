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


def stacked(lower: Mapping[str, Any], higher: Mapping[str, Any]) -> dict[str, Any]:
    """One part that does what both do, the lower one first: what removes stays, for what it removes may be below both."""
    result: dict[str, Any] = {} if higher.get(PATCH) == "replace" else _copy(lower)
    for name, value in higher.items():
        result[name] = _stack(name, result[name], value) if name in result else _copy(value)
    return result


def _stack(name: str, lower: Any, higher: Any) -> Any:
    if isinstance(higher, Mapping) and not _removes(higher):
        if isinstance(lower, Mapping) and not _removes(lower):
            return stacked(lower, higher)
        return {PATCH: "replace", **_copy(higher)}
    if name in KEYS and _is_list(lower) and _is_list(higher) and not any(_replaces(item) for item in higher):
        return _stacked_items(KEYS[name], lower, higher)
    return _copy(higher)


def _stacked_items(keys: tuple[str, ...], lower: Any, higher: Any) -> list[Any]:
    result = {_key(keys, item): _copy(item) for item in lower}
    for item in higher:
        key = _key(keys, item)
        before = result.get(key)
        if before is None or _removes(item):
            result[key] = _copy(item)
        else:
            result[key] = {PATCH: "replace", **_copy(item)} if _removes(before) else stacked(before, item)
    return list(result.values())


def _one(name: str, base: object, over: Any) -> Any:
    if isinstance(over, Mapping):
        return laid_over(base if isinstance(base, Mapping) else {}, over)
    if name in KEYS and _is_list(over) and all(isinstance(item, Mapping) for item in over):
        return _items(KEYS[name], base if _is_list(base) else [], over)
    return _plain(over)


def _items(keys: tuple[str, ...], base: Any, over: Sequence[Mapping[str, Any]]) -> list[Any]:
    if any(map(_replaces, over)):
        base, over = [], [item for item in over if not _replaces(item)]
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


def _replaces(item: Mapping[str, Any]) -> bool:
    """Whether it stands for no item, but says that the list is replaced."""
    return item.get(PATCH) == "replace" and len(item) == 1


def _is_list(value: object) -> bool:
    return isinstance(value, (list, tuple))


def _plain(value: Any) -> Any:
    """A copy of maps and lists without what says how to merge."""
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items() if name != PATCH}
    return [_plain(inner) for inner in value] if _is_list(value) else value


def _copy(value: Any) -> Any:
    """The same with what says how to merge."""
    if isinstance(value, Mapping):
        return {name: _copy(inner) for name, inner in value.items()}
    return [_copy(inner) for inner in value] if _is_list(value) else value
