"""A container's log as far as its node still has it, and on as it grows. It must not know what lines mean.

A stream may break off or end early while the container runs, so it is opened again where the last line was; lines of that
moment come twice and are told apart by their stamps, which kubelets write at a fixed width.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Final

from pipeline.adapters.kubernetes_api import KubernetesApi, path_of
from pipeline.adapters.kubernetes_errors import ClusterRefuses, ClusterUnreachable

SILENCE_SECONDS: Final = 60.0
"""A container may print nothing for so long; then the stream is opened anew."""
LEAST_WAIT_SECONDS, MOST_WAIT_SECONDS = 0.25, 4.0


class PodLog:
    """One container of one pod, which is known by its uid: another pod of that name is not it."""

    def __init__(self, api: KubernetesApi, namespace: str, pod: str, uid: str, container: str) -> None:
        self._api, self._uid, self._container = api, uid, container
        self._pod = path_of("pods", namespace=namespace, name=pod)
        self._last = b""
        """Stamp of the newest line, and how many lines had it."""
        self._same = 0

    def exists(self) -> bool:
        """Whether the pod is there. Raises `EngineError`."""
        return self._state() is not None

    def lines(self, *, follow: bool) -> Iterator[bytes]:
        """Lines without their ends, each once; with `follow` until the container has ended. Raises `EngineError`."""
        wait = LEAST_WAIT_SECONDS
        while True:
            state = self._state()
            if state is None:
                return
            before = self._last, self._same
            try:
                yield from self._read(follow and "terminated" not in state)
            except ClusterUnreachable:
                if not follow:
                    raise
            except ClusterRefuses as refused:
                if refused.status != 400:  # It has not begun yet.
                    raise
            if not follow or "terminated" in state:
                return
            wait = LEAST_WAIT_SECONDS if before != (self._last, self._same) else min(2 * wait, MOST_WAIT_SECONDS)
            time.sleep(wait)

    def _read(self, follow: bool) -> Iterator[bytes]:
        query: dict[str, str] = {"container": self._container, "timestamps": "true"}
        query |= {"follow": "true"} if follow else {}
        query |= {"sinceTime": self._last.decode("ascii", "replace")} if self._last else {}
        known, seen = (self._last, self._same), 0
        with self._api.open(f"{self._pod}/log", query, silence=SILENCE_SECONDS) as stream:
            for line in stream:
                stamp, _, text = line.partition(b" ")
                if stamp < known[0]:
                    continue
                if stamp == known[0]:
                    seen += 1
                    if seen <= known[1]:
                        continue
                self._same = self._same + 1 if stamp == self._last else 1
                self._last = stamp
                yield text

    def _state(self) -> dict[str, Any] | None:
        """Of the container: `waiting`, `running` or `terminated`; None: there is no such pod any more."""
        pod = self._api.find(self._pod)
        if pod is None or pod["metadata"]["uid"] != self._uid:
            return None
        statuses = pod["status"].get("containerStatuses") or ()
        found: dict[str, Any] = next((each for each in statuses if each["name"] == self._container), {})
        return dict(found.get("state") or {})
