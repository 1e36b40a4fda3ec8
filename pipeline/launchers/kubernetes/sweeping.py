"""Remove what runs have left in a namespace: Jobs, pods and Secrets of ours, and objects that tests have made and labelled.

Nothing is ever deleted but by the label of a run. Every call may block.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from typing import Any, Final

from pipeline.adapters.kubernetes_api import KubernetesApi, Query, path_of
from pipeline.adapters.kubernetes_errors import ClusterRefuses
from pipeline.errors import EngineError
from pipeline.launchers.kubernetes.names import MANAGED_BY, OURS, STORE
from pipeline.model.labels import RUN, label_value
from pipeline.model.swept import Swept

Object = dict[str, Any]
Delete = Callable[..., list[Object]]
JOBS, PODS, SECRETS = ("jobs", "batch/v1"), ("pods", "v1"), ("secrets", "v1")
AT_ONCE: Final = 1
"""Seconds between TERM and KILL: with 0 nobody would know whether a pod has ended."""
GONE_SECONDS: Final = 10.0
"""Waited for what is being deleted."""
LEAST_WAIT_SECONDS, MOST_WAIT_SECONDS = 0.25, 4.0
TOGETHER: Final = 50
"""Runs in one selector: it goes into the address of a request."""


def sweep_runs(
    api: KubernetesApi,
    namespace: str,
    store: str,
    kinds: Sequence[str],
    alive: Callable[[], Collection[str]],
    dead: Collection[str],
) -> Swept:
    """Remove what runs of a store have left, `dead` ones and those whose Jobs or pods are found, but for those alive.

    `alive` is asked when objects have been listed: whoever has one of those has its run in the store by then. `store` is
    the value of its label. Raises `EngineError`.
    """
    mine = f"{MANAGED_BY}={OURS},{STORE}={label_value(store)}"
    found = {
        f"{kind[:-1]} {each['metadata']['name']}": each["metadata"]["labels"].get(RUN, "")
        for kind, group in (JOBS, PODS)
        for each in api.list(path_of(kind, group=group, namespace=namespace), {"labelSelector": mine})[0]
    }
    living = {label_value(run) for run in alive()}
    runs = {*found.values(), *(label_value(run) for run in dead)}
    swept = Swept()
    for some in _shares(sorted(runs - living - {""})):
        seen = [name for name, run in found.items() if run in some]
        swept += _sweep_ours(api, namespace, f"{mine},{_of(some)}", seen)
    return swept + sweep_made(api, namespace, store, kinds, sorted(runs - living - {""}))


def sweep_made(api: KubernetesApi, namespace: str, store: str, kinds: Sequence[str], runs: Sequence[str]) -> Swept:
    """Remove objects of these kinds (`group/version/plural`) that tests of these runs have made; never without the label.

    A run of another store may have the same name: while that has anything here, nothing of that name is touched.
    """
    swept = Swept()
    for some in _shares([label_value(run) for run in runs if run]) if kinds else ():
        foreign = _foreign(api, namespace, store, some)
        swept += Swept(
            kept={f"what tests of run {run} made": "a run of another store has that name" for run in foreign}
        )
        left = [run for run in some if run not in foreign]
        for kind in kinds if left else ():
            try:
                swept += _sweep_kind(api, namespace, kind, _of(left))
            except EngineError as error:
                swept += Swept(kept={kind: error.message})
    return swept


def _sweep_ours(api: KubernetesApi, namespace: str, selector: str, seen: Sequence[str]) -> Swept:
    """Jobs first, for they make pods. Pods that were `seen` may go with their Job before they are deleted."""
    gone = [*seen]
    query: Query = {"labelSelector": selector}
    for kind, group in (JOBS, PODS, SECRETS):
        path = path_of(kind, group=group, namespace=namespace)
        deleted = api.delete_all(path, query, grace=AT_ONCE if kind == "pods" else None)
        gone += [f"{kind[:-1]} {each['metadata']['name']}" for each in deleted]
    left = _left(api, path_of("pods", namespace=namespace), query)
    kept = {f"pod {each['metadata']['name']}": _why_pod(each) for each in left}
    return Swept(removed=tuple(name for name in dict.fromkeys(gone) if name not in kept), kept=kept)


def _why_pod(pod: Object) -> str:
    return f"its node {pod['spec'].get('nodeName', '?')!r} has not said that it has ended"


def _sweep_kind(api: KubernetesApi, namespace: str, kind: str, selector: str) -> Swept:
    group, plural = kind.rsplit("/", 1)
    about = _discover(api, group, plural)
    if about is None:
        return Swept()  # Who has no such kind has no such objects.
    path = path_of(plural, group=group, namespace=namespace if about["namespaced"] else "")
    query: Query = {"labelSelector": selector}
    found = [each["metadata"]["name"] for each in api.list(path, query)[0]]
    if not found:
        return Swept()
    if "deletecollection" in about["verbs"]:
        api.delete_all(path, query)
    else:
        for name in found:
            api.delete(f"{path}/{name}")
    left = {each["metadata"]["name"]: each["metadata"] for each in _left(api, path, query)}
    return Swept(
        removed=tuple(f"{plural} {name}" for name in found if name not in left),
        kept={f"{plural} {name}": _why_not(told) for name, told in left.items()},
    )


def _why_not(about: Object) -> str:
    finalizers = ", ".join(about.get("finalizers") or ())
    if about.get("deletionTimestamp") and finalizers:
        return f"it is deleted, but its finalizers have not been: {finalizers}; is their controller alive?"
    return "it is being deleted" if about.get("deletionTimestamp") else "it was made again, or could not be deleted"


def _discover(api: KubernetesApi, group: str, plural: str) -> Object | None:
    """What the API server says of a kind."""
    prefix = "/apis" if "/" in group else "/api"
    try:
        kinds = api.get(f"{prefix}/{group}")["resources"]
    except ClusterRefuses as refused:
        if refused.status == 404:
            return None
        raise
    return next((each for each in kinds if each["name"] == plural), None)


def _left(api: KubernetesApi, path: str, query: Query) -> list[Object]:
    """What is still there when it has had time to go."""
    deadline, wait = time.monotonic() + GONE_SECONDS, LEAST_WAIT_SECONDS
    while True:
        left = api.list(path, query)[0]
        if not left or time.monotonic() + wait > deadline:
            return left
        time.sleep(wait)  # A right to watch such objects is not asked for.
        wait = min(2 * wait, MOST_WAIT_SECONDS)


def _foreign(api: KubernetesApi, namespace: str, store: str, runs: Sequence[str]) -> set[str]:
    """Of these runs' names those that are another store's, too."""
    query: Query = {"labelSelector": f"{MANAGED_BY}={OURS},{STORE}!={label_value(store)},{_of(runs)}"}
    listed = partial(path_of, namespace=namespace)
    found = [each for kind, group in (JOBS, PODS) for each in api.list(listed(kind, group=group), query)[0]]
    return {each["metadata"]["labels"][RUN] for each in found}


def _of(runs: Sequence[str]) -> str:
    return f"{RUN} in ({','.join(runs)})"


def _shares(runs: Sequence[str]) -> Iterator[Sequence[str]]:
    for first in range(0, len(runs), TOGETHER):
        yield runs[first : first + TOGETHER]
