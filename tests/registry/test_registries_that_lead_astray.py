"""A registry may be lying, broken or taken over: credentials go nowhere else, and no network but its own is asked."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from pipeline.adapters.registry_addresses import followed
from pipeline.adapters.registry_credentials import Credentials
from pipeline.contracts.registry_contract import nothing_done, outgoing
from pipeline.errors import EngineError
from pipeline.logic.image_manifests import descriptor, index
from pipeline.model.images import Descriptor
from tests.engines.faults import Answer
from tests.engines.fixtures import RegistryAddress
from tests.engines.proxy import FaultProxy
from tests.registry.faulty import client, fresh_repository
from tests.registry.servers import Asked, Reply, Server, serving

ME = Credentials(username="me", password="my secret", source="the test")
DATA = b"content of a blob"
BLOB = descriptor(DATA, "application/octet-stream")


def basic_then(answer: Callable[[Asked], Reply]) -> Callable[[Asked], Reply]:
    """Ask who it is first."""

    def reply(asked: Asked) -> Reply:
        if asked.headers.get("Authorization") != ME.basic:
            return Reply(status=401, headers={"WWW-Authenticate": 'Basic realm="r"'})
        return answer(asked)

    return reply


def fetch(server: Server, target: Path) -> None:
    """Bring the blob as that user."""
    with closing(client(credentials={server.address: ME}, tries=2)) as registry:
        registry.fetch_blob(f"{server.address}/a/b", BLOB, target)


def test_credentials_do_not_follow_a_redirect(tmp_path: Path) -> None:
    """Another host gives the blob and never learns who we are."""
    with serving(lambda _: Reply(body=DATA)) as storage:
        away = f"http://localhost:{storage.port}/bucket/blob?signature=x%2Fy"
        with serving(basic_then(lambda _: Reply(status=307, headers={"Location": away}))) as registry:
            fetch(registry, tmp_path / "blob")

    assert (tmp_path / "blob").read_bytes() == DATA
    assert [one.path for one in storage.asked] == ["/bucket/blob?signature=x%2Fy"]
    assert "Authorization" not in storage.asked[0].headers


def test_credentials_do_not_follow_an_upload_to_another_port() -> None:
    """A `Location` on another server is used as it is, without them."""
    with serving(lambda _: Reply(status=201)) as storage:
        away = f"http://127.0.0.1:{storage.port}/upload?state=1"

        def answer(asked: Asked) -> Reply:
            if asked.method == "HEAD":
                return Reply(status=404)
            return Reply(status=202, headers={"Location": away})

        with serving(basic_then(answer)) as server, closing(client(credentials={server.address: ME})) as registry:
            registry.send_blob(f"{server.address}/a/b", BLOB, lambda: io.BytesIO(DATA))

    [put] = storage.asked
    assert (put.method, put.path) == ("PUT", f"/upload?state=1&digest=sha256%3A{BLOB.digest[7:]}")
    assert "Authorization" not in put.headers


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1/x",
        "http://[::ffff:192.168.0.1]/x",
        "http://[fd00::1]/x",
        "file:///etc/passwd",
        "gopher://example.com/x",
        "http://user:password@example.com/x",
    ],
)
def test_redirects_into_private_networks_are_refused(tmp_path: Path, location: str) -> None:
    """The address is never asked."""
    with (
        serving(lambda _: Reply(status=307, headers={"Location": location})) as server,
        pytest.raises(EngineError, match=r"private address|no address of a registry"),
    ):
        fetch(server, tmp_path / "blob")


def test_a_loopback_address_is_for_registries_of_this_machine_only() -> None:
    """And HTTPS never becomes HTTP."""
    assert followed("http://127.0.0.1:5000/v2/", "http://localhost:9000/x") == "http://localhost:9000/x"
    with pytest.raises(EngineError, match="private address"):
        followed("http://registry.example/v2/", "http://localhost:9000/x")
    with pytest.raises(EngineError, match="plain HTTP"):
        followed("https://registry.example/v2/", "http://registry.example/v2/x")


def test_a_location_is_followed_as_it_is_given() -> None:
    """Relative or absolute, its query untouched."""
    assert followed("https://r/v2/a/blobs/uploads/", "/v2/u?s=a%2Bb&c") == "https://r/v2/u?s=a%2Bb&c"
    assert followed("https://r/v2/a/", "https://s3.example/x?y=%20") == "https://s3.example/x?y=%20"


def test_redirects_without_end_are_an_error(tmp_path: Path) -> None:
    """A circle is left."""
    with serving(lambda asked: Reply(status=302, headers={"Location": asked.path})) as server:
        with pytest.raises(EngineError, match="without end"):
            fetch(server, tmp_path / "blob")

        assert len(server.asked) == 6


@pytest.mark.parametrize("body", [DATA[:-1] + b"!", DATA + b"more", b"x" * 100_000])
def test_other_bytes_than_promised_are_refused(tmp_path: Path, body: bytes) -> None:
    """Changed or longer: an error and no file."""
    with serving(lambda _: Reply(body=body)) as server, pytest.raises(EngineError, match="other bytes"):
        fetch(server, tmp_path / "blob")

    assert list(tmp_path.iterdir()) == []


def test_a_manifest_that_is_too_long_is_not_read() -> None:
    """Memory is not the registry's to fill."""
    with (
        serving(lambda _: Reply(body=b" " * (5 << 20))) as server,
        closing(client()) as registry,
        pytest.raises(EngineError, match="longer than"),
    ):
        registry.resolve(f"{server.address}/a:t")


@pytest.mark.parametrize(
    "manifest",
    [
        b"",
        b"[]",
        b'{"mediaType": "application/vnd.oci.image.manifest.v1+json"}',
        b'{"mediaType": 3, "layers": {}}',
        b"[" * 100_000,
        json.dumps({"schemaVersion": 1, "name": "old"}).encode(),
        json.dumps(
            {
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "config": {"mediaType": "x", "digest": "sha256:../../etc/passwd", "size": 1},
                "layers": [],
            }
        ).encode(),
    ],
)
def test_a_manifest_that_is_none_is_an_error(manifest: bytes) -> None:
    """Never a traceback of ours."""
    with (
        serving(lambda _: Reply(body=manifest)) as server,
        closing(client()) as registry,
        pytest.raises(EngineError),
    ):
        registry.resolve(f"{server.address}/a:t")


def test_a_manifest_of_another_digest_is_refused() -> None:
    """Asked for by digest, or promised in the header."""
    other = f"sha256:{hashlib.sha256(b'other').hexdigest()}"
    with (
        serving(lambda _: Reply(body=b"{}", headers={"Docker-Content-Digest": other})) as server,
        closing(client()) as registry,
    ):
        for name in (f"{server.address}/a:t", f"{server.address}/a@{other}"):
            with pytest.raises(EngineError, match="other bytes"):
                registry.resolve(name)


def named(blob: Descriptor) -> dict[str, object]:
    """A descriptor as manifests have it."""
    return {"mediaType": blob.media_type, "digest": blob.digest, "size": blob.size}


def test_a_changed_config_is_refused() -> None:
    """As long as promised and well-formed, but of another digest: its user, environment or entry point might be another's."""
    image = outgoing("x/y", "z").made.image
    manifest = {
        "schemaVersion": 2,
        "mediaType": image.manifest.media_type,
        "config": named(image.config_blob),
        "layers": [named(layer.blob) for layer in image.layers],
    }

    def answer(asked: Asked) -> Reply:
        if "/manifests/" in asked.path:
            return Reply(body=json.dumps(manifest).encode())
        return Reply(body=b"{}".ljust(image.config_blob.size))

    with (
        serving(answer) as server,
        closing(client()) as registry,
        pytest.raises(EngineError, match="other bytes"),
    ):
        registry.resolve(f"{server.address}/a:t")


def test_tags_come_in_pages() -> None:
    """All pages are read, as the `Link` header leads."""
    pages = {
        "/v2/a/b/tags/list?n=1000": (["b", "a"], "/v2/a/b/tags/list?last=b&n=2"),
        "/v2/a/b/tags/list?last=b&n=2": (["c"], ""),
    }

    def answer(asked: Asked) -> Reply:
        tags, following = pages[asked.path]
        headers = {"Link": f'<{following}>; rel="next"'} if following else {}
        return Reply(body=json.dumps({"name": "a/b", "tags": tags}).encode(), headers=headers)

    with serving(answer) as server, closing(client()) as registry:
        assert list(registry.tags(f"{server.address}/a/b")) == ["a", "b", "c"]


def test_a_registry_that_deletes_nothing_says_so() -> None:
    """405 is an answer, not an error."""
    with serving(lambda _: Reply(status=405)) as server, closing(client()) as registry:
        assert registry.delete_manifest(f"{server.address}/a", BLOB.digest) is False


def test_what_a_registry_does_not_delete_is_told(
    fault_proxy: Callable[[str], FaultProxy], registry: RegistryAddress
) -> None:
    """An index and its children, where deleting is switched off; and a child that goes only after its index."""
    proxy = fault_proxy(registry.address)
    repository = fresh_repository(proxy.address)
    with closing(client()) as sender:
        images = [outgoing(repository, text) for text in "ab"]
        sender.send_images(images, nothing_done)
        media_type, data = index([one.made.image for one in images])
        digest = sender.send_manifest(repository, media_type, data)
        proxy.add(Answer(status=405), method="DELETE", times=5)
        everything = sender.delete_index(repository, digest)
        proxy.heal()
        proxy.add(Answer(status=409), method="DELETE", times=2)
        nothing = sender.delete_index(repository, digest)

    assert set(everything) == {digest, *(one.made.image.manifest.digest for one in images)}
    assert list(nothing) == []


def test_this_machine_is_not_asked_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Docker does: a proxy elsewhere cannot reach our loopback."""
    with serving(lambda _: Reply(body=b'{"tags": ["right"]}')) as server, serving(lambda _: Reply(status=502)) as wrong:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://{wrong.address}")
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        with closing(client()) as registry:
            assert list(registry.tags(f"{server.address}/a")) == ["right"]


def test_neither_cookies_nor_netrc_are_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A registry remembers nothing of us, and gets no password that was meant for others on its host."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password hush\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with (
        serving(lambda _: Reply(body=b'{"tags": []}', headers={"Set-Cookie": "who=me; Path=/"})) as server,
        closing(client()) as registry,
    ):
        for _ in range(2):
            registry.tags(f"{server.address}/a")

    assert len(server.asked) == 2
    assert not [name for asked in server.asked for name in asked.headers if name in ("Cookie", "Authorization")]
