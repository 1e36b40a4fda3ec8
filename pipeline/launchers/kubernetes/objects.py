"""Make, read and delete the objects of runs in one namespace, by name and by label. It must not know who waits for them.

Every call may block; names are the same however often a call is repeated, so one whose outcome is unknown is made again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from pipeline.adapters.kubernetes_api import KubernetesApi, Query, path_of
from pipeline.adapters.kubernetes_errors import ClusterRefuses, ClusterUnreachable
from pipeline.adapters.kubernetes_watch import KubernetesWatch, See
from pipeline.errors import EngineError
from pipeline.launchers.kubernetes.containers import WORKER
from pipeline.launchers.kubernetes.essence import event_essence, job_essence, pod_essence
from pipeline.launchers.kubernetes.names import run_labels, selector_of

T = TypeVar("T")
Object = dict[str, Any]
PATIENCE_SECONDS: Final = 60.0
"""With an API server that does not answer."""
LEAST_WAIT_SECONDS, MOST_WAIT_SECONDS = 0.5, 5.0
LOG_PATIENCE_SECONDS: Final = 5.0
"""With a node that does not answer when it is asked for a log, for which the end of a run waits."""
LOG_BYTES: Final = 64 * 2**20
LOG_END: Final = 2000
"""Characters of a log's end that are told."""
AT_ONCE: Final = 1
"""Least seconds between TERM and KILL: 0 would drop the object without asking the node, and so all proof."""


class ClusterObjects:
    """Of one namespace."""

    def __init__(self, api: KubernetesApi, namespace: str, is_over: threading.Event) -> None:
        """`is_over` is set when nobody waits for anything any more."""
        self._api, self.namespace, self._is_over = api, namespace, is_over

    def make(self, kind: str, body: Object, group: str = "v1") -> Object:
        """Make an object, or find that it is there: names tell it apart from all others. Raises `EngineError`."""
        path = path_of(kind, group=group, namespace=self.namespace)
        try:
            return self._patiently(lambda: self._api.create(path, body))
        except ClusterRefuses as refused:
            if refused.status == 409 and refused.reason == "AlreadyExists":
                return {**body, "metadata": {"uid": "", **body["metadata"]}}
            refused.permanent = "exceeded quota" not in refused.message and "being terminated" not in refused.message
            raise

    def delete(
        self, kind: str, name: str, group: str = "v1", *, grace: float | None = None, propagation: str = "Background"
    ) -> None:
        """Delete one, if it is there. Raises `EngineError`."""
        path = path_of(kind, group=group, namespace=self.namespace, name=name)
        seconds = None if grace is None else max(AT_ONCE, round(grace))
        self._patiently(lambda: self._api.delete(path, grace=seconds, propagation=propagation))

    def forget(self, pod: str) -> None:
        """Drop a pod's object, whatever becomes of its containers."""
        path = path_of("pods", namespace=self.namespace, name=pod)
        self._patiently(lambda: self._api.delete(path, grace=0))

    def delete_all(self, run: str, term: int | None) -> None:
        """Delete Jobs, pods and Secrets of a run, or of one term of it. Raises `EngineError`."""
        query: Query = {"labelSelector": selector_of(run_labels(run, term=term))}
        for kind, group in (("jobs", "batch/v1"), ("pods", "v1"), ("secrets", "v1")):
            path = path_of(kind, group=group, namespace=self.namespace)
            grace = AT_ONCE if kind == "pods" else None
            self._patiently(partial(self._api.delete, path, query=query, grace=grace))

    def pod(self, name: str) -> Object | None:
        """A pod, if it is there. Raises `EngineError`, at once."""
        found = self._api.find(path_of("pods", namespace=self.namespace, name=name))
        return pod_essence(found) if found is not None else None

    def save_log(self, pod: str, target: Path) -> str:
        """Keep what a worker has printed, as far as its node still has it; the end of that. None to be had is no error."""
        path = path_of("pods", namespace=self.namespace, name=pod, part="log")
        try:
            asked: Query = {"container": WORKER, "limitBytes": LOG_BYTES}
            log = self._patiently(lambda: self._api.text(path, asked), LOG_PATIENCE_SECONDS)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(log, "utf-8")
        except (EngineError, OSError):
            return ""
        return log[-LOG_END:].strip()

    def watches(
        self, run: str, *, job: See, pod: See, event: See, trouble: Callable[[EngineError], None]
    ) -> tuple[KubernetesWatch, KubernetesWatch, KubernetesWatch]:
        """Follow Jobs and pods of a run, and all events from now on; not started yet."""
        mine: Query = {"labelSelector": selector_of(run_labels(run))}

        def path(kind: str, group: str = "v1") -> str:
            return path_of(kind, group=group, namespace=self.namespace)

        return (
            KubernetesWatch(self._api, path("jobs", "batch/v1"), mine, job, keep=job_essence, trouble=trouble),
            KubernetesWatch(self._api, path("pods"), mine, pod, keep=pod_essence, trouble=trouble),
            KubernetesWatch(self._api, path("events"), {}, event, keep=event_essence, lists=False, trouble=trouble),
        )

    def _patiently(self, ask: Callable[[], T], seconds: float = PATIENCE_SECONDS) -> T:
        """Ask until there is an answer, for as long as an API server may be away."""
        deadline, wait = time.monotonic() + seconds, LEAST_WAIT_SECONDS
        while True:
            try:
                return ask()
            except ClusterUnreachable:
                if time.monotonic() + wait > deadline or self._is_over.wait(wait):
                    raise
            wait = min(2 * wait, MOST_WAIT_SECONDS)
