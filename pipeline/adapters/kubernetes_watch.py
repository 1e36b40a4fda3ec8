"""Follow objects of a cluster: list once, then watch, for ever, in a thread of its own. It must not know what they mean to us.

As "Efficient detection of changes" in the reference's "Kubernetes API Concepts" says: a list by pages gives the version to
watch from; bookmarks keep that fresh; 410 asks for a new list, and what is missing there has been deleted.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from pipeline.adapters.kubernetes_api import KubernetesApi, Object, Query, event_of, watching
from pipeline.adapters.kubernetes_errors import ClusterUnreachable, ResourceVersionGone
from pipeline.adapters.kubernetes_lines import LineStream
from pipeline.errors import EngineError

WATCH_SECONDS: Final = 60
"""The server ends a watch after it, and a client that hears nothing for longer knows that the network is gone."""
SILENCE_SECONDS: Final = 15.0
"""Borne beyond that."""
END_SECONDS: Final = 2.0
"""Waited for the thread: it may be asking a server that does not answer."""
LEAST_WAIT_SECONDS: Final = 0.25
MOST_WAIT_SECONDS: Final = 5.0
"""Between two tries of an API server that is away."""
ADDED, MODIFIED, DELETED, BOOKMARK = "ADDED", "MODIFIED", "DELETED", "BOOKMARK"

See = Callable[[str, Object], None]
"""Takes `ADDED`, `MODIFIED` or `DELETED` and the object as it is, or was last; in the watch's thread, and must not raise."""


def whole(found: Object) -> Object:
    """All of it."""
    return found


class KubernetesWatch:
    """What one path and selector give. `start`, then `close`."""

    def __init__(
        self,
        api: KubernetesApi,
        path: str,
        query: Query,
        see: See,
        *,
        keep: Callable[[Object], Object] = whole,
        lists: bool = True,
        trouble: Callable[[EngineError], None] = lambda _: None,
        seconds: int = WATCH_SECONDS,
    ) -> None:
        """`keep` cuts objects down to what is needed, with `metadata.uid` and `.resourceVersion`; `lists=False` tells only
        what happens from now on. `trouble` hears each kind of trouble once until it is over; the watch goes on trying."""
        self._api, self._path, self._query, self._see = api, path, query, see
        self._keep, self._lists, self._trouble, self._seconds = keep, lists, trouble, seconds
        self._known: dict[str, Object] = {}
        self._version = ""
        self._troubled = ""
        self._is_over = threading.Event()
        self._lock = threading.Lock()
        self._stream: LineStream | None = None
        self._thread = threading.Thread(target=self._follow, name=f"watch {path.rpartition('/')[2]}", daemon=True)
        self.listed = threading.Event()
        """Set once the first list has been told."""

    @property
    def has_ended(self) -> bool:
        """Whether its thread is gone."""
        return not self._thread.is_alive()

    def start(self) -> None:
        """Follow from now on."""
        self._thread.start()

    def close(self) -> None:
        """End it, whatever it waits for."""
        self._is_over.set()
        self.listed.set()  # Nobody is to wait for it.
        with self._lock:
            if self._stream is not None:
                self._stream.cut()
        if self._thread.ident is not None:
            self._thread.join(END_SECONDS)

    def _follow(self) -> None:
        wait = LEAST_WAIT_SECONDS
        while not self._is_over.is_set():
            try:
                if not self._version:
                    self._list()
                if self._watch():
                    wait = LEAST_WAIT_SECONDS
                    continue
            except ResourceVersionGone:
                self._version = ""
            except EngineError as error:
                self._tell(error)
            self._is_over.wait(wait)  # Nothing was heard: never ask again and again at once.
            wait = min(2 * wait, MOST_WAIT_SECONDS)

    def _tell(self, error: EngineError) -> None:
        """Once, until it has worked again. An API server that is away for a moment is no news."""
        kind = "away" if isinstance(error, ClusterUnreachable) else error.message
        if kind != self._troubled and not self._is_over.is_set():
            self._troubled = kind
            self._trouble(error)

    def _list(self) -> None:
        """Tell what there is; what was there and is no more has been deleted."""
        version, gone = "", dict(self._known)
        for items, page in self._api.pages(self._path, self._query if self._lists else {**self._query, "limit": 1}):
            version = page
            if not self._lists:
                break
            for each in items:
                kept = self._keep(each)
                gone.pop(kept["metadata"]["uid"], None)
                self._take(kept)
        for old in gone.values():
            self._drop(old)
        self._version = version
        self.listed.set()

    def _watch(self) -> bool:
        """Hear until the server ends it; whether anything was heard."""
        about = {**self._query, **watching(self._version, self._seconds)}
        with self._api.open(self._path, about, silence=self._seconds + SILENCE_SECONDS) as stream:
            with self._lock:
                self._stream = stream
            has_heard, self._troubled = False, ""
            try:
                for line in () if self._is_over.is_set() else stream:
                    self._hear(*event_of(self._path, line))
                    has_heard = True
            finally:
                with self._lock:
                    self._stream = None
            return has_heard

    def _hear(self, kind: str, found: Object) -> None:
        if kind == DELETED:
            self._drop(self._keep(found))
        elif kind != BOOKMARK:
            self._take(self._keep(found))
        self._version = str(found["metadata"]["resourceVersion"])

    def _take(self, kept: Object) -> None:
        about = kept["metadata"]
        before = self._known.get(about["uid"])
        if self._lists:
            self._known[about["uid"]] = kept
        if before is None or before["metadata"]["resourceVersion"] != about["resourceVersion"]:
            self._see(ADDED if before is None else MODIFIED, kept)

    def _drop(self, kept: Object) -> None:
        self._known.pop(kept["metadata"]["uid"], None)
        self._see(DELETED, kept)
