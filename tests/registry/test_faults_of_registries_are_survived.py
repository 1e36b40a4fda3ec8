"""A real registry behind a proxy that delays, cuts, refuses and loses: all arrives whole, and not twice without need."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.adapters.registry import HttpRegistry
from pipeline.contracts.registry_contract import nothing_done, outgoing
from pipeline.errors import EngineError
from tests.engines.faults import Answer, Corrupt, Cut, LostAnswer, Slow
from tests.engines.fixtures import RegistryAddress
from tests.engines.proxy import FaultProxy
from tests.registry.faulty import client, fresh_blob, fresh_repository

MIB = 1 << 20


@pytest.fixture
def proxy(registry: RegistryAddress, fault_proxy: Callable[[str], FaultProxy]) -> FaultProxy:
    """A proxy to the shared registry."""
    return fault_proxy(registry.address)


@pytest.fixture
def near() -> Iterator[HttpRegistry]:
    """A client that sends in pieces of 1 MiB."""
    made = client(chunk=MIB)
    yield made
    made.close()


@pytest.mark.parametrize("status", [500, 502, 503, 429])
def test_passing_refusals_are_tried_again(proxy: FaultProxy, near: HttpRegistry, status: int) -> None:
    """Two refusals of every kind of request; then the image is there."""
    one = outgoing(fresh_repository(proxy.address), "hello")
    for method in ("HEAD", "POST", "PUT", "GET"):
        proxy.add(Answer(status=status), method=method, times=2)

    near.send_images([one], nothing_done)

    found = near.resolve(one.made.image.reference)
    assert found is not None
    assert found.manifest == one.made.image.manifest


def test_a_registry_says_how_long_to_wait(proxy: FaultProxy, near: HttpRegistry) -> None:
    """`Retry-After` is kept, whatever our own waits would be."""
    proxy.add(Answer(status=429, headers={"Retry-After": "1"}), method="HEAD", times=1)
    began = time.monotonic()

    near.has_manifest(fresh_repository(proxy.address), f"sha256:{1:064}")

    assert 1 <= time.monotonic() - began < 5


def test_a_registry_that_stays_busy_is_named(proxy: FaultProxy, near: HttpRegistry) -> None:
    """Tries are bounded, and the error says what was being done."""
    proxy.add(Answer(status=503), method="HEAD")

    with pytest.raises(EngineError, match=r"too much to do.*looking for manifest"):
        near.has_manifest(fresh_repository(proxy.address), f"sha256:{1:064}")

    assert proxy.count("HEAD") == 6


def test_an_upload_that_was_cut_goes_on_where_it_stopped(proxy: FaultProxy, near: HttpRegistry, tmp_path: Path) -> None:
    """Of 6 MiB, cut within the fourth piece, no more than the rest of that piece is sent twice."""
    repository = fresh_repository(proxy.address)
    blob, content = fresh_blob(6 * MIB)
    proxy.add(Cut(request_bytes=MIB // 2), method="PATCH", skip=3, times=1)

    near.send_blob(repository, blob, content)
    near.fetch_blob(repository, blob, tmp_path / "blob")

    assert proxy.count("POST") == 1
    assert proxy.sent <= blob.size + MIB // 2
    assert (tmp_path / "blob").read_bytes() == content().read()


def test_an_upload_that_the_registry_forgot_is_begun_anew(proxy: FaultProxy, near: HttpRegistry) -> None:
    """A 404 in the middle means a new upload, not an error."""
    repository = fresh_repository(proxy.address)
    blob, content = fresh_blob(3 * MIB)
    proxy.add(Answer(status=404), method="PATCH", skip=1, times=1)

    near.send_blob(repository, blob, content)

    assert proxy.count("POST") == 2
    assert near.send_blob(repository, blob, content) == 0


@pytest.mark.parametrize("size", [1000, 3 * MIB])
def test_a_blob_whose_last_answer_was_lost_is_not_sent_again(proxy: FaultProxy, near: HttpRegistry, size: int) -> None:
    """It is there; asking is enough."""
    repository = fresh_repository(proxy.address)
    blob, content = fresh_blob(size)
    proxy.add(LostAnswer(), method="PUT", times=1)

    near.send_blob(repository, blob, content)

    assert proxy.count("POST") == 1
    assert near.send_blob(repository, blob, content) == 0


def test_a_manifest_whose_answer_was_lost_is_put_again(proxy: FaultProxy, near: HttpRegistry) -> None:
    """The same bytes under the same name are no harm."""
    one = outgoing(fresh_repository(proxy.address), "hello", tag="t")
    proxy.add(LostAnswer(), method="PUT", path="/manifests/", times=1)

    near.send_images([one], nothing_done)

    assert proxy.count("PUT", "/manifests/") == 2
    assert near.tags(one.made.image.repository) == ["t"]


def test_a_download_that_was_cut_goes_on_where_it_stopped(
    proxy: FaultProxy, near: HttpRegistry, tmp_path: Path
) -> None:
    """Bytes that have come are not asked for again."""
    repository = fresh_repository(proxy.address)
    blob, content = fresh_blob(3 * MIB)
    near.send_blob(repository, blob, content)
    proxy.add(Cut(answer_bytes=2 * MIB), method="GET", times=1)

    near.fetch_blob(repository, blob, tmp_path / "blob")

    assert (tmp_path / "blob").read_bytes() == content().read()
    assert sum(one.received for one in proxy.select("GET")) <= blob.size


def test_a_changed_bit_is_never_accepted(proxy: FaultProxy, near: HttpRegistry, tmp_path: Path) -> None:
    """Neither in a blob nor in a manifest."""
    repository = fresh_repository(proxy.address)
    one = outgoing(repository, "hello", tag="t")
    near.send_images([one], nothing_done)
    proxy.add(Corrupt(), method="GET", path="/(blobs|manifests)/")

    with pytest.raises(EngineError, match="other bytes than blob"):
        near.fetch_blob(repository, one.made.image.config_blob, tmp_path / "blob")
    with pytest.raises(EngineError, match="other bytes than manifest"):
        near.resolve(one.made.image.reference)

    assert list(tmp_path.iterdir()) == []


def test_a_slow_registry_is_only_slow(proxy: FaultProxy, near: HttpRegistry) -> None:
    """Delays are no failures: nothing is sent twice."""
    proxy.add(Slow(delay_seconds=0.05))
    images = [outgoing(fresh_repository(proxy.address), f"{n}") for n in range(10)]

    near.send_images(images, nothing_done)

    assert proxy.count("PUT", "/manifests/") == 10


def test_dropped_connections_are_made_again(proxy: FaultProxy, near: HttpRegistry) -> None:
    """A connection that died while it was kept is no error."""
    repository = fresh_repository(proxy.address)
    near.has_manifest(repository, f"sha256:{1:064}")
    proxy.break_connections()

    assert not near.has_manifest(repository, f"sha256:{1:064}")


@pytest.mark.parametrize("status", [202, 405, 400, 500])
def test_a_mount_that_is_refused_becomes_an_upload(proxy: FaultProxy, near: HttpRegistry, status: int) -> None:
    """However a registry says that it will not: the blob is there in the end, and a mount is asked for once."""
    one, two = fresh_repository(proxy.address), fresh_repository(proxy.address)
    blob, content = fresh_blob(1000)
    near.send_blob(one, blob, content)
    if status != 202:
        proxy.add(Answer(status=status), method="POST", path="mount=")
    origin = fresh_repository(proxy.address) if status == 202 else one

    sent = near.send_blob(two, blob, content, origin=origin)

    assert sent == blob.size
    assert proxy.count("POST", "mount=") == 1
    assert near.send_blob(two, blob, content) == 0


def test_the_first_error_ends_all_sending(proxy: FaultProxy, near: HttpRegistry) -> None:
    """A hundred images are not all tried when one is refused for good."""
    repository = fresh_repository(proxy.address)
    proxy.add(Answer(status=403), method="PUT", path="/manifests/")

    with pytest.raises(EngineError, match="denied"):
        near.send_images([outgoing(repository, f"{n}") for n in range(100)], nothing_done)

    assert proxy.count("PUT", "/manifests/") <= 16


def test_ctrl_c_ends_all_sending(proxy: FaultProxy, near: HttpRegistry) -> None:
    """What has not begun is not begun, waits are broken off, and the client can be used again."""
    repository = fresh_repository(proxy.address)
    images = [outgoing(repository, f"{n}") for n in range(100)]

    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        near.send_images(images, interrupt)

    assert proxy.count("PUT", "/manifests/") < 100
    assert near.send_images(images[-1:], nothing_done) > 0


def test_a_small_upload_that_was_cut_is_begun_anew(proxy: FaultProxy, near: HttpRegistry) -> None:
    """A registry keeps what came before the cut: the rest is not sent to the same place, nor the whole."""
    repository = fresh_repository(proxy.address)
    blob, content = fresh_blob(MIB // 2)
    proxy.add(Cut(request_bytes=1000), method="PUT", times=2)

    near.send_blob(repository, blob, content)

    assert proxy.count("POST") == 3
    assert near.send_blob(repository, blob, content) == 0
