"""The client of the API on a real cluster: dictionaries both ways, pages, watches, logs, refusals with the way out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.adapters.kubernetes_api import KubernetesApi, path_of
from pipeline.adapters.kubernetes_client import KubernetesClient
from pipeline.adapters.kubernetes_errors import ClusterRefuses, ClusterUnreachable, ResourceVersionGone
from pipeline.errors import UsageError
from tests.engines.kubernetes.bodies import pod, pod_spec
from tests.engines.kubernetes.namespaces import Cluster

MAPS = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["*"]}
SAYS = ("python3", "-uc", "import time\nfor n in range(3):\n print('line', n); time.sleep(0.2)")


@pytest.fixture
def api(cluster: Cluster) -> Iterator[KubernetesApi]:
    """As the test namespace's administrator."""
    client = KubernetesClient(str(cluster.kubeconfig))
    assert client.namespace == cluster.namespace
    yield KubernetesApi(client)
    client.close()


def maps(cluster: Cluster, name: str = "") -> str:
    """The path of ConfigMaps."""
    return path_of("configmaps", namespace=cluster.namespace, name=name)


def named(name: str, **data: str) -> dict[str, Any]:
    """A ConfigMap."""
    return {"metadata": {"name": name, "labels": {"by": "tests"}}, "data": data}


def test_objects_are_made_changed_found_and_deleted(api: KubernetesApi, cluster: Cluster) -> None:
    """Each verb, as JSON; what is not there is None, or False when deleted."""
    made = api.create(maps(cluster), named("one", a="1"))
    assert api.merge(maps(cluster, "one"), {"data": {"a": None, "b": "2"}})["data"] == {"b": "2"}
    with pytest.raises(ClusterRefuses, match="modified") as refused:
        api.replace(maps(cluster, "one"), made)
    assert refused.value.status == 409
    whole = {"apiVersion": "v1", "kind": "ConfigMap", **named("two", c="3")}
    assert api.apply(maps(cluster, "two"), whole, "tests")["data"] == {"c": "3"}
    assert api.delete(maps(cluster), query={"labelSelector": "by=tests"})
    assert api.find(maps(cluster, "one")) is None
    assert not api.delete(maps(cluster, "two"))


def test_keys_of_a_kubeconfig_lie_where_they_are_removed_after_a_kill(cluster: Cluster, tmp_path: Path) -> None:
    """The library needs files of them: none lies where nobody would look, and the next agent finds those of a dead one."""
    opens = (
        "import os, signal\n"
        "from pipeline.adapters.kubernetes_client import KubernetesClient\n"
        f"KubernetesClient({str(cluster.kubeconfig)!r}).send('GET', '/version', None, '', 10)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", opens], env={**os.environ, "TMPDIR": str(tmp_path)}, check=False)
    (folder,) = [path for path in tmp_path.iterdir() if path.is_dir() and path.name.startswith("doit-fleet-")]
    assert len(list(folder.iterdir())) == 3  # Authority, certificate, key.
    assert folder.stat().st_mode & 0o077 == 0
    sweeps = "from pipeline.adapters.temporary import sweep_temporary\nsweep_temporary()\n"
    subprocess.run([sys.executable, "-c", sweeps], env={**os.environ, "TMPDIR": str(tmp_path)}, check=True)
    assert not folder.exists()


def test_long_lists_come_in_pages(api: KubernetesApi, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """All items, each once, with a version from which a watch goes on."""
    for number in range(7):
        api.create(maps(cluster), named(f"map-{number}"))
    monkeypatch.setattr("pipeline.adapters.kubernetes_api.PAGE", 3)
    found, version = api.list(maps(cluster), {"labelSelector": "by=tests"})
    assert [each["metadata"]["name"] for each in found] == [f"map-{number}" for number in range(7)]
    assert int(version) > 0


def test_a_watch_tells_what_happens_and_ends(api: KubernetesApi, cluster: Cluster) -> None:
    """From the list's version on, until its time is over."""
    version = api.list(maps(cluster))[1]
    threading.Timer(0.3, lambda: api.create(maps(cluster), named("late"))).start()
    seen = [
        (kind, each["metadata"]["name"])
        for kind, each in api.watch(maps(cluster), version, 2, {"labelSelector": "by=tests"})
        if kind != "BOOKMARK"
    ]
    assert seen == [("ADDED", "late")]


@pytest.mark.timeout(180)
def test_a_version_that_lies_too_far_back_is_told(own_cluster: Cluster) -> None:
    """A new API server knows nothing of what was before it; then one lists again."""
    server = own_cluster.engine.parts["apiserver"]
    server.kill()
    server.start()
    client = KubernetesClient(str(own_cluster.kubeconfig))
    with pytest.raises(ResourceVersionGone, match="too old resource version"):
        list(KubernetesApi(client).watch(maps(own_cluster), "1", 2))
    client.close()


def test_a_log_is_followed_to_its_end(api: KubernetesApi, cluster: Cluster, base_image: str) -> None:
    """Line by line while the container runs."""
    pods = path_of("pods", namespace=cluster.namespace)
    version = api.list(pods)[1]
    api.create(pods, pod("says", pod_spec(base_image, SAYS)))
    for _, each in api.watch(pods, version, 60):
        if each["status"].get("phase") in ("Running", "Succeeded"):
            break
    log = path_of("pods", namespace=cluster.namespace, name="says", part="log")
    assert list(api.lines(log, {"follow": "true"})) == [b"line 0", b"line 1", b"line 2"]
    assert api.text(log, {"tailLines": 1}) == "line 2\n"


def test_a_missing_right_is_told_in_the_servers_words(cluster: Cluster) -> None:
    """With what to do; what the Role allows works."""
    client = KubernetesClient(str(cluster.service_account([MAPS])))
    mine = KubernetesApi(client)
    mine.create(maps(cluster), named("mine"))
    with pytest.raises(ClusterRefuses, match="cannot list resource") as refused:
        mine.list(path_of("pods", namespace=cluster.namespace))
    assert (refused.value.status, refused.value.reason) == (403, "Forbidden")
    assert "can-i" in refused.value.hint
    client.close()


def test_credentials_that_were_renewed_are_read_again(cluster: Cluster) -> None:
    """A token that is refused once is no end, when the file has another by then."""
    config = cluster.service_account([MAPS])
    good = config.read_text("utf-8")
    told = json.loads(good)
    told["users"][0]["user"]["token"] = "none"
    config.write_text(json.dumps(told), "utf-8")
    client = KubernetesClient(str(config))
    with pytest.raises(ClusterRefuses) as refused:
        KubernetesApi(client).list(maps(cluster))
    assert refused.value.status == 401
    config.write_text(good, "utf-8")
    assert KubernetesApi(client).list(maps(cluster))[0] is not None
    client.close()


def test_a_server_that_is_away_is_told_as_passing(tmp_path: Path) -> None:
    """So that callers try again."""
    user: dict[str, Any] = {"name": "u", "user": {}}
    clusters = [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}]
    contexts = [{"name": "x", "context": {"cluster": "c", "user": "u"}}]
    told = {"clusters": clusters, "users": [user], "contexts": contexts, "current-context": "x"}
    config = tmp_path / "config"
    config.write_text(json.dumps({"apiVersion": "v1", "kind": "Config", **told}), "utf-8")
    client = KubernetesClient(str(config))
    assert client.namespace == "default"
    with pytest.raises(ClusterUnreachable) as away:
        KubernetesApi(client).get("/version")
    assert not away.value.permanent
    with pytest.raises(UsageError, match="no context 'other'.*\n.*x"):
        KubernetesClient(str(config), "other")
    client.close()


def test_no_kubeconfig_is_the_users_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With both ways out."""
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    with pytest.raises(UsageError, match="kubernetes.kubeconfig or KUBECONFIG"):
        KubernetesClient(str(tmp_path / "none"))
