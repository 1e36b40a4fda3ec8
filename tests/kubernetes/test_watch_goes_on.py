"""A watch tells each change once, whatever happens to the API server: ended watches, 410, pages, an absence, a cut."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from pipeline.adapters.kubernetes_api import KubernetesApi, path_of
from pipeline.adapters.kubernetes_client import KubernetesClient
from pipeline.adapters.kubernetes_watch import KubernetesWatch
from pipeline.errors import EngineError
from tests.engines.kubernetes.namespaces import Cluster

MINE = {"labelSelector": "by=tests"}
SECONDS = 20


class Seen:
    """What a watch tells."""

    def __init__(self) -> None:
        self._told: queue.Queue[tuple[str, str]] = queue.Queue()

    def __call__(self, kind: str, found: dict[str, Any]) -> None:
        self._told.put((kind, found["metadata"]["name"]))

    def next(self, seconds: float = SECONDS) -> tuple[str, str]:
        """What comes next."""
        return self._told.get(timeout=seconds)

    def nothing(self) -> bool:
        """Whether all has been taken."""
        return self._told.empty()


@contextmanager
def following(config: Path, path: str, see: Seen, **options: Any) -> Iterator[KubernetesWatch]:
    """A watch, and its end."""
    client = KubernetesClient(str(config))
    watch = KubernetesWatch(KubernetesApi(client), path, options.pop("query", MINE), see, **options)
    watch.start()
    try:
        yield watch
    finally:
        watch.close()
        client.close()
    assert watch.has_ended


def named(name: str) -> dict[str, Any]:
    """A ConfigMap."""
    return {"metadata": {"name": name, "labels": {"by": "tests"}}}


def test_it_tells_what_there_is_and_what_happens(cluster: Cluster) -> None:
    """Added, changed, deleted; the server ends the watch every second meanwhile, and nothing is told twice."""
    maps, see = path_of("configmaps", namespace=cluster.namespace), Seen()
    cluster.api.create(maps, named("before"))
    with following(cluster.kubeconfig, maps, see, seconds=1) as watch:
        assert see.next() == ("ADDED", "before")
        assert watch.listed.wait(SECONDS)
        for _ in range(2):
            threading.Event().wait(1.2)  # Over the end of a watch.
            cluster.api.create(maps, named("after"))
            assert see.next() == ("ADDED", "after")
            cluster.api.merge(f"{maps}/after", {"data": {"a": "1"}})
            assert see.next() == ("MODIFIED", "after")
            cluster.api.delete(f"{maps}/after")
            assert see.next() == ("DELETED", "after")
    assert see.nothing()


def test_without_a_list_only_news_is_told(cluster: Cluster) -> None:
    """As for events, of which there are many from before."""
    maps, see = path_of("configmaps", namespace=cluster.namespace), Seen()
    cluster.api.create(maps, named("before"))
    with following(cluster.kubeconfig, maps, see, lists=False) as watch:
        assert watch.listed.wait(SECONDS)
        cluster.api.create(maps, named("after"))
        assert see.next() == ("ADDED", "after")
    assert see.nothing()


def test_objects_are_cut_down_before_they_are_kept(cluster: Cluster) -> None:
    """Thousands of pods are no burden."""
    maps = path_of("configmaps", namespace=cluster.namespace)
    cluster.api.create(maps, named("one"))
    heard: queue.Queue[dict[str, Any]] = queue.Queue()

    def keep(found: dict[str, Any]) -> dict[str, Any]:
        return {"metadata": {name: found["metadata"][name] for name in ("uid", "resourceVersion", "name")}}

    client = KubernetesClient(str(cluster.kubeconfig))
    watch = KubernetesWatch(KubernetesApi(client), maps, MINE, lambda _, found: heard.put(found), keep=keep)
    watch.start()
    assert set(heard.get(timeout=SECONDS)["metadata"]) == {"uid", "resourceVersion", "name"}
    watch.close()
    client.close()


def test_a_missing_right_is_told_once_and_waited_for(cluster: Cluster) -> None:
    """Rights may come back while a run goes on."""
    config = cluster.service_account([], "weak")
    maps, see = path_of("configmaps", namespace=cluster.namespace), Seen()
    troubles: queue.Queue[EngineError] = queue.Queue()
    with following(config, maps, see, trouble=troubles.put):
        assert "cannot list resource" in troubles.get(timeout=SECONDS).message
        cluster.api.create(maps, named("one"))
        role = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{cluster.namespace}/roles/weak"
        rule = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list", "watch"]}
        cluster.api.merge(role, {"rules": [rule]})
        assert see.next() == ("ADDED", "one")
    assert troubles.empty()


@pytest.mark.timeout(180)
def test_a_killed_api_server_is_outlived(own_cluster: Cluster) -> None:
    """What happened while nobody watched is told afterwards: made, changed and deleted."""
    maps, see = path_of("configmaps", namespace=own_cluster.namespace), Seen()
    server = own_cluster.engine.parts["apiserver"]
    for name in ("stays", "goes"):
        own_cluster.api.create(maps, named(name))
    troubles: queue.Queue[EngineError] = queue.Queue()
    with following(own_cluster.kubeconfig, maps, see, trouble=troubles.put):
        assert {see.next(), see.next()} == {("ADDED", "stays"), ("ADDED", "goes")}
        server.kill()
        assert not troubles.get(timeout=SECONDS).permanent
        server.start()
        own_cluster.api.delete(f"{maps}/goes")
        own_cluster.api.create(maps, named("new"))
        assert {see.next(60), see.next()} == {("DELETED", "goes"), ("ADDED", "new")}
    assert see.nothing()


# A server that says what a test wants it to say.

Answer = tuple[int, Sequence[dict[str, Any]]]


@contextmanager
def scripted(answer: Callable[[str], Answer | None], folder: Path) -> Iterator[Path]:
    """The kubeconfig of an API server that gives those lines for a path; None: it says nothing until it ends."""
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told = answer(self.path)
            status, lines = told if told is not None else (200, ())
            self.send_response(status)
            self.end_headers()
            for line in lines:
                self.wfile.write(json.dumps(line).encode() + b"\n")
            self.wfile.flush()
            if told is None:
                over.wait(60)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    serving = threading.Thread(target=server.serve_forever, args=(0.05,))
    serving.start()
    cluster = {"name": "c", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}
    context = {"name": "x", "context": {"cluster": "c", "user": "u"}}
    config = folder / "scripted"
    users: list[dict[str, Any]] = [{"name": "u", "user": {}}]
    whole = {"apiVersion": "v1", "kind": "Config", "clusters": [cluster], "contexts": [context], "users": users}
    config.write_text(json.dumps({**whole, "current-context": "x"}))
    try:
        yield config
    finally:
        over.set()
        server.shutdown()
        serving.join()
        server.server_close()


def item(name: str, version: int) -> dict[str, Any]:
    """An object."""
    return {"metadata": {"name": name, "uid": f"uid-{name}", "resourceVersion": str(version)}}


GONE = {"type": "ERROR", "object": {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"}}


@pytest.mark.parametrize("gone", [(200, [GONE]), (410, [GONE["object"]])], ids=["event", "status"])
def test_a_version_that_is_gone_is_listed_anew(tmp_path: Path, gone: Answer) -> None:
    """As an event in the stream or as a status: what is unchanged is not told again, what is absent was deleted."""
    lists = [
        {"metadata": {"resourceVersion": "5", "continue": "more"}, "items": [item("a", 1)]},
        {"metadata": {"resourceVersion": "5"}, "items": [item("b", 2)]},
        {"metadata": {"resourceVersion": "9"}, "items": [item("a", 1), item("c", 8)]},
    ]
    watches: list[Answer | None] = [gone, None]
    asked: list[str] = []

    def answer(path: str) -> Answer | None:
        asked.append(path)
        return watches.pop(0) if "watch=1" in path else (200, [lists.pop(0)])

    see = Seen()
    with scripted(answer, tmp_path) as config, following(config, "/api/v1/things", see):
        told = [see.next() for _ in range(4)]
    assert told == [("ADDED", "a"), ("ADDED", "b"), ("ADDED", "c"), ("DELETED", "b")]
    assert see.nothing()
    assert "continue=more" in asked[1]
    assert "resourceVersion=5" in asked[2]


def test_a_bookmark_moves_the_version_on(tmp_path: Path) -> None:
    """The next watch begins there, although no object of ours has changed."""
    mark = {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "77"}}}
    watches: list[Answer | None] = [(200, [mark]), None]
    asked: queue.Queue[str] = queue.Queue()

    def answer(path: str) -> Answer | None:
        if "watch=1" not in path:
            return 200, [{"metadata": {"resourceVersion": "5"}, "items": []}]
        asked.put(path)
        return watches.pop(0)

    with scripted(answer, tmp_path) as config, following(config, "/api/v1/things", Seen()):
        assert "resourceVersion=5&" in asked.get(timeout=SECONDS)
        assert "resourceVersion=77&" in asked.get(timeout=SECONDS)


def test_a_server_that_says_nothing_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that is dead without a word ends by the client's own time-out."""
    monkeypatch.setattr("pipeline.adapters.kubernetes_watch.SILENCE_SECONDS", 0.2)
    asked: queue.Queue[str] = queue.Queue()

    def answer(path: str) -> Answer | None:
        if "watch=1" not in path:
            return 200, [{"metadata": {"resourceVersion": "5"}, "items": []}]
        asked.put(path)
        return None

    with scripted(answer, tmp_path) as config, following(config, "/api/v1/things", Seen(), seconds=0):
        for _ in range(2):
            assert "resourceVersion=5&" in asked.get(timeout=SECONDS)


def test_a_server_that_ends_watches_at_once_is_not_asked_without_pause(tmp_path: Path) -> None:
    """Each time the watch waits longer."""
    asked: queue.Queue[str] = queue.Queue()

    def answer(path: str) -> Answer | None:
        asked.put(path)
        return 200, ([] if "watch=1" in path else [{"metadata": {"resourceVersion": "5"}, "items": []}])

    with scripted(answer, tmp_path) as config, following(config, "/api/v1/things", Seen()):
        threading.Event().wait(1.5)
    assert asked.qsize() <= 6
