"""The Kubernetes API: plain dictionaries in and out, by path. It must not know what Jobs and pods mean to us.

Paths are the API's own (`/apis/batch/v1/namespaces/NAME/jobs`); `path_of` makes them. Verbs, paging, watches and their
end (410) as in the reference's "Kubernetes API Concepts".
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote, urlencode

from pipeline.adapters.kubernetes_client import KubernetesClient, unreachable
from pipeline.adapters.kubernetes_errors import ClusterRefuses, refusal_of
from pipeline.adapters.kubernetes_lines import LineStream

Object = dict[str, Any]
Query = Mapping[str, str | int | bool]
Page = tuple[list[Object], str]
"""Some of the objects of a list, and the list's version."""
ANSWER_SECONDS: Final = 30.0
PAGE: Final = 500
JSON: Final = "application/json"
MERGE_PATCH: Final = "application/merge-patch+json"
APPLY_PATCH: Final = "application/apply-patch+yaml"


def path_of(resource: str, *, group: str = "v1", namespace: str = "", name: str = "", part: str = "") -> str:
    """Of objects, one object, or a part of it (`log`, `status`, `eviction`). `group`: `v1`, `batch/v1`, …"""
    places = ["apis" if "/" in group else "api", group]
    places += ["namespaces", quote(namespace)] if namespace else []
    return "/" + "/".join([*places, resource, *(quote(each) for each in (name, part) if each)])


class KubernetesApi:
    """One cluster. All methods raise `ClusterUnreachable` (try again) and `ClusterRefuses`; threads may share it."""

    def __init__(self, client: KubernetesClient) -> None:
        self._client = client

    def get(self, path: str, query: Query | None = None) -> Object:
        """An object, or whatever else answers with JSON."""
        return self._told("GET", path, query)

    def find(self, path: str) -> Object | None:
        """An object, if it is there."""
        try:
            return self.get(path)
        except ClusterRefuses as refused:
            if refused.status == 404:
                return None
            raise

    def list(self, path: str, query: Query | None = None) -> tuple[list[Object], str]:
        """All objects, read by pages, and the version to watch from. A list that grows too old meanwhile raises `ResourceVersionGone`."""
        pages = [*self.pages(path, query)]
        return [each for items, _ in pages for each in items], pages[-1][1]

    def pages(self, path: str, query: Query | None = None) -> Iterator[Page]:
        """The same page by page, for who need not hold all at once; every page has the list's version."""
        asked: dict[str, str | int | bool] = {"limit": PAGE, **(query or {})}
        while True:
            page = self.get(path, asked)
            told = page["metadata"]
            yield page["items"], str(told["resourceVersion"])
            if not told.get("continue"):
                return
            asked["continue"] = told["continue"]

    def watch(self, path: str, version: str, seconds: int, query: Query | None = None) -> Iterator[tuple[str, Object]]:
        """Kinds (`ADDED`, `MODIFIED`, `DELETED`, `BOOKMARK`) and objects, until the server ends it after about `seconds`.

        The version of the last object is where the next watch goes on. Raises `ResourceVersionGone` when that lies too
        far back, and `ClusterUnreachable` when nothing at all is heard for `seconds` and half a minute.
        """
        about = watching(version, seconds)
        for line in self.lines(path, {**(query or {}), **about}, silence=seconds + ANSWER_SECONDS):
            yield event_of(path, line)

    def open(self, path: str, query: Query | None = None, *, silence: float = ANSWER_SECONDS) -> LineStream:
        """An answer that comes line by line and can be cut off from another thread; `silence` in seconds is borne."""
        answer = self._client.send("GET", path + _query(query), None, JSON, silence, stream=True)
        if answer.status < 300:
            return LineStream(f"GET {path}", answer)
        try:
            raise refusal_of(f"GET {path}", answer.status, answer.read())
        finally:
            answer.close()
            answer.release_conn()

    def lines(self, path: str, query: Query | None = None, *, silence: float = ANSWER_SECONDS) -> Iterator[bytes]:
        """An answer as it comes, e.g. a log that is followed; without line ends. `silence` in seconds is borne."""
        with self.open(path, query, silence=silence) as stream:
            yield from stream

    def text(self, path: str, query: Query | None = None) -> str:
        """A log."""
        return self._asked("GET", path, query).decode("utf-8", "replace")

    def create(self, path: str, body: Object) -> Object:
        """The object as it is now."""
        return self._told("POST", path, None, body)

    def replace(self, path: str, body: Object) -> Object:
        """The object as it is now; refused (409) when its `resourceVersion` is not the newest."""
        return self._told("PUT", path, None, body)

    def merge(self, path: str, body: Object) -> Object:
        """Change fields by a merge patch; `None` removes one."""
        return self._told("PATCH", path, None, body, MERGE_PATCH)

    def apply(self, path: str, body: Object, manager: str) -> Object:
        """Server-side apply: make it, or change what this manager owns."""
        return self._told("PATCH", path, {"fieldManager": manager, "force": "true"}, body, APPLY_PATCH)

    def delete(
        self, path: str, *, query: Query | None = None, propagation: str = "Background", grace: int | None = None
    ) -> bool:
        """Delete an object, or of a collection all that the query selects; whether there was one. `grace` in seconds."""
        options: Object = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation}
        if grace is not None:
            options["gracePeriodSeconds"] = grace
        try:
            self._asked("DELETE", path, query, options)
        except ClusterRefuses as refused:
            if refused.status == 404:
                return False
            raise
        return True

    def delete_all(self, path: str, query: Query, *, grace: int | None = None) -> Sequence[Object]:
        """Delete all of a collection that the query selects, which must select; those that there were. `grace` in seconds."""
        if not query.get("labelSelector"):
            raise ValueError("a whole collection is never deleted")
        options: Object = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
        if grace is not None:
            options["gracePeriodSeconds"] = grace
        return self._told("DELETE", path, query, options).get("items") or ()

    def _told(
        self, method: str, path: str, query: Query | None = None, body: Object | None = None, kind: str = JSON
    ) -> Object:
        found: Object = json.loads(self._asked(method, path, query, body, kind))
        return found

    def _asked(
        self, method: str, path: str, query: Query | None = None, body: Object | None = None, kind: str = JSON
    ) -> bytes:
        told = None if body is None else json.dumps(body).encode()
        answer = self._client.send(method, path + _query(query), told, kind, ANSWER_SECONDS)
        if answer.status >= 300:
            raise refusal_of(f"{method} {path}", answer.status, answer.data)
        return bytes(answer.data)


def watching(version: str, seconds: int) -> Query:
    """What asks for a watch from a version on, with bookmarks, until the server ends it."""
    return {"watch": 1, "allowWatchBookmarks": "true", "resourceVersion": version, "timeoutSeconds": seconds}


def event_of(path: str, line: bytes) -> tuple[str, Object]:
    """Kind and object of a watch's line. Raises `ResourceVersionGone` and whatever else it says of an error."""
    try:
        event = json.loads(line)
    except ValueError as error:
        raise unreachable(f"watching {path}", "", error) from error  # Half a line, from something in between.
    if event["type"] == "ERROR":
        status = event["object"]
        raise refusal_of(f"watching {path}", int(status.get("code", 500)), json.dumps(status).encode())
    return event["type"], event["object"]


def _query(query: Query | None) -> str:
    return "?" + urlencode(query) if query else ""
