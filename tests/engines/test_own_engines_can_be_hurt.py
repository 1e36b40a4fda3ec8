"""Private engines: killed, paused, restarted, filled, and gone afterwards."""

from __future__ import annotations

import hashlib
import http.client
import urllib.error
import urllib.request
from functools import partial
from pathlib import Path

import pytest

from tests.engines import own
from tests.engines.docker import OwnDocker
from tests.engines.fixtures import TokenAddress
from tests.engines.processes import lives, naming, wait_for
from tests.engines.registries import PlainRegistry
from tests.engines.s3 import S3Server

AWAY = (OSError, http.client.HTTPException)


def status(registry: PlainRegistry, timeout: float = 5) -> int:
    """Of the registry's API."""
    with urllib.request.urlopen(f"http://{registry.address}/v2/", timeout=timeout) as answer:
        return int(answer.status)


def upload(address: str, body: bytes) -> int:
    """The status of a blob's upload in one piece."""
    client = http.client.HTTPConnection(address, timeout=10)
    try:
        client.request("POST", "/v2/a/blobs/uploads/", b"")
        answer = client.getresponse()
        answer.read()
        where = answer.getheader("Location") or ""
        if answer.status != 202:
            return answer.status
        client.request("PUT", f"{where}&digest=sha256:{hashlib.sha256(body).hexdigest()}", body)
        return client.getresponse().status
    finally:
        client.close()


def test_a_killed_registry_is_away_and_a_restarted_one_is_where_it_was(own_registry: PlainRegistry) -> None:
    """What it had stored is there again, at the same address."""
    address = own_registry.address
    assert upload(address, b"kept") == 201
    own_registry.kill()
    with pytest.raises(AWAY):
        upload(address, b"lost")
    own_registry.restart()
    assert own_registry.address == address
    assert own_registry.ask(f"/v2/a/blobs/sha256:{hashlib.sha256(b'kept').hexdigest()}") == 200
    assert own_registry.ask(f"/v2/a/blobs/sha256:{hashlib.sha256(b'lost').hexdigest()}") == 404


def test_a_paused_registry_hangs_until_it_is_resumed(own_registry: PlainRegistry) -> None:
    """Nobody answers meanwhile."""
    own_registry.pause()
    with pytest.raises(TimeoutError):
        status(own_registry, timeout=0.3)
    own_registry.resume()
    assert status(own_registry) == 200


def test_a_registry_can_be_full() -> None:
    """Of limited size, it refuses what does not fit, and takes what fits."""
    with own.own_registry(mebibytes=4) as registry:
        assert upload(registry.address, b"x" * 1000) == 201
        assert upload(registry.address, bytes(8 << 20)) >= 500


def test_a_private_s3_server_keeps_its_buckets_over_a_restart(own_s3: S3Server) -> None:
    """Killed and restarted, it has them."""
    client = own_s3.client()
    client.create_bucket(Bucket="kept")
    own_s3.kill()
    own_s3.restart()
    assert [found["Name"] for found in client.list_buckets()["Buckets"]] == ["kept"]
    client.close()


def test_a_token_registry_gives_nothing_without_a_token(token_registry: TokenAddress) -> None:
    """It names the realm, and the realm wants the password."""
    import requests

    address, realm = token_registry.address, token_registry.realm
    asked = {"service": "registry of tests", "scope": "repository:a:pull"}
    known = (token_registry.user or "", token_registry.password or "")
    with requests.Session() as session:
        get = partial(session.get, timeout=5, verify=str(token_registry.ca_file))
        refused = get(f"https://{address}/v2/a/tags/list")
        assert refused.status_code == 401
        assert f'realm="{realm}"' in refused.headers["WWW-Authenticate"]
        assert get(realm, params=asked, auth=("fleet", "wrong")).status_code == 401
        bearer = {"Authorization": f"Bearer {get(realm, params=asked, auth=known).json()['token']}"}
        assert get(f"https://{address}/v2/a/tags/list", headers=bearer).status_code == 404
        assert get(f"https://{address}/v2/b/tags/list", headers=bearer).status_code == 401


def test_nothing_of_a_private_engine_stays() -> None:
    """Neither processes nor files."""
    with own.own_registry(mebibytes=4) as registry:
        who, folder = registry.facts and registry.record, registry.folder
        assert who and all(map(lives, who.processes))
    assert not any(map(lives, who.processes))
    assert not folder.exists()


@pytest.mark.timeout(120)
def test_a_private_docker_stands_beside_others_and_survives_a_crash(own_docker: OwnDocker, base_image: str) -> None:
    """Its containers end with a daemon that crashed, as Docker does without live-restore; data stay; then it goes without a trace."""
    client, folder = own_docker.client(), own_docker.folder
    made = client.containers.run(base_image, ["sleep", "600"], network_mode="none", stop_signal="SIGKILL", detach=True)
    assert made.status in ("created", "running")
    own_docker.kill()
    assert not own_docker.running()
    own_docker.restart()
    made.reload()
    assert made.status == "exited"
    made.start()
    client.close()
    own_docker.stop()
    assert list(naming(str(folder))) == []
    assert str(folder) not in Path("/proc/self/mounts").read_text("utf-8")
    assert not list(Path("/sys/fs/cgroup").glob(f"*/{own_docker.group}"))


@pytest.mark.timeout(120)
def test_containers_go_on_while_their_daemon_is_away(base_image: str) -> None:
    """With live-restore a restarted daemon finds them running."""
    with own.own_docker(live_restore=True) as engine:
        client = engine.client()
        made = client.containers.run(
            base_image, ["sleep", "600"], network_mode="none", stop_signal="SIGKILL", detach=True
        )
        made.reload()
        pid = made.attrs["State"]["Pid"]
        engine.kill()
        assert Path(f"/proc/{pid}").exists()
        engine.restart()
        assert wait_for(lambda: client.containers.get(made.id).status == "running", 10)
        assert client.containers.get(made.id).attrs["State"]["Pid"] == pid
        client.close()
