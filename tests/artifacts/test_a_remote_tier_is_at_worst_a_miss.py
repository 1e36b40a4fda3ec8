"""S3 that is down, slow, cut off, broken or lying costs a bounded time and never gives a wrong artifact."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from functools import partial
from io import BytesIO
from pathlib import Path

import pytest
from attrs import define, field

from pipeline.adapters.artifact_cache import TieredCache
from pipeline.adapters.artifact_s3 import S3Tier
from pipeline.contracts.artifact_cache_contract import kept, key_of
from pipeline.ports.artifacts import ActionRecord, RemoteTrouble
from tests.artifacts.views import last_answers
from tests.engines.faults import Answer, Corrupt, Cut, LostAnswer, Slow
from tests.engines.fixtures import Bucket
from tests.engines.proxy import FaultProxy

KEY = key_of("1")
DATA = b"0123456789" * 30_000
SECONDS = 3.0


@define
class World:
    """A bucket behind a proxy, and machines that use it."""

    folder: Path
    bucket: Bucket
    proxy: FaultProxy
    told: list[str] = field(factory=list)
    caches: list[TieredCache] = field(factory=list)

    def machine(self, name: str) -> TieredCache:
        """A machine with that folder."""
        url = f"s3://{self.bucket.bucket}/c?endpoint={self.proxy.url}"
        cache = TieredCache(
            self.folder / name,
            remote=S3Tier(url),
            remote_seconds=SECONDS,
            closing_seconds=2 * SECONDS,
            tell=self.told.append,
        )
        self.caches.append(cache)
        return cache

    def filled(self) -> ActionRecord:
        """The bucket holds one record."""
        return kept(self.machine("first"), KEY, {"a.whl": DATA}, self.folder, kind="fetched")

    def answers(self, name: str) -> list[str]:
        """What a machine was answered."""
        return last_answers(self.folder / name)

    def path(self, name: str) -> str:
        """A key of the bucket."""
        return f"c/trusted/{name}"


@pytest.fixture
def world(
    tmp_path: Path, s3: Bucket, fault_proxy: Callable[[str], FaultProxy], monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    """A fresh one for each test."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3.secret_key)
    made = World(tmp_path, s3, fault_proxy(s3.url.removeprefix("http://")))
    yield made
    made.proxy.heal()
    for cache in made.caches:
        cache.close()


def test_the_bucket_holds_content_by_level_and_digest(world: World) -> None:
    """So that rights can be given by level: nothing of a level lies outside its prefix."""
    world.filled()

    assert sorted(name for name, _ in S3Tier(f"s3://{world.bucket.bucket}/c?endpoint={world.proxy.url}").list("")) == [
        f"trusted/ac/{KEY}.json",
        f"trusted/cas/{hashlib.sha256(DATA).hexdigest()}",
    ]


def test_what_a_bucket_gave_is_local_from_then_on(world: World) -> None:
    """A second look-up sends no request."""
    record = world.filled()
    cache = world.machine("second")
    assert cache.find(KEY) == record
    before = world.proxy.count()

    assert cache.find(KEY) == record
    assert cache.file(record.outputs["a.whl"]).read_bytes() == DATA
    assert world.proxy.count() == before
    cache.close()
    assert world.answers("second") == ["hit"]


FAULTS = {
    "answers 500": Answer(status=500),
    "answers 403": Answer(status=403),
    "answers nonsense": Answer(status=200, body=b"<html>captive portal</html>"),
    "is cut off": Cut(answer_bytes=20),
    "is silent": Slow(delay_seconds=60.0),
    "trickles": Slow(bytes_per_second=20.0),
    "flips a bit": Corrupt(),
}


@pytest.mark.parametrize("which", ["/ac/", "/cas/"])
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_broken_answer_is_a_miss_in_bounded_time(world: World, fault: object, which: str) -> None:
    """Whatever befalls records or content: a miss with a reason, told, nothing half brought, and the build goes on."""
    world.filled()
    world.proxy.add(fault, method="GET", path=which)  # type: ignore[arg-type]
    cache = world.machine("second")
    began = time.monotonic()

    found = cache.find(KEY)
    took = time.monotonic() - began
    made = kept(cache, KEY, {"a.whl": DATA}, world.folder)

    assert found is None
    assert took < 3 * SECONDS + 2
    assert cache.file(made.outputs["a.whl"]).read_bytes() == DATA
    (answer,) = world.answers("second")
    assert answer.startswith("miss: ")
    assert answer != "miss: no record"


def test_a_bucket_that_is_down_is_given_up(world: World) -> None:
    """After a few troubles a process asks no more: many misses cost no more than some, and it is told once."""
    world.filled()
    world.proxy.add(Answer(status=503))
    cache = world.machine("second")
    for number in range(5):
        assert cache.find(key_of(f"{number}")) is None
    before = world.proxy.count()

    assert cache.find_all([key_of(f"{number}") for number in range(200)]) == {}
    cache.close()

    assert world.proxy.count() == before
    assert len([text for text in world.told if "not used any more" in text]) == 1
    assert "miss: remote unreachable" in world.answers("second")


def test_a_slow_bucket_costs_its_time_once(world: World) -> None:
    """An answer that takes too long is the last one that is waited for."""
    world.filled()
    world.proxy.add(Slow(delay_seconds=60.0))
    cache = world.machine("second")
    began = time.monotonic()

    for number in range(20):
        assert cache.find(key_of(f"{number}")) is None
    cache.close()

    assert time.monotonic() - began < SECONDS + 2


def test_an_upload_that_fails_fails_nothing(world: World) -> None:
    """What cannot be sent is told; the maker has it, others make their own."""
    world.proxy.add(Answer(status=500), method="PUT")

    record = world.filled()

    assert world.machine("first").find(KEY) == record
    assert world.machine("second").find(KEY) is None
    assert any("not" in text and "remote" in text for text in world.told)


def test_a_lost_answer_to_an_upload_is_an_upload(world: World) -> None:
    """A write that happened unheard is found there by the next try, which is as good."""
    world.proxy.add(LostAnswer(), method="PUT", times=2)

    record = world.filled()

    assert world.machine("second").find(KEY) == record


def test_a_lying_bucket_is_found_out_and_healed(world: World) -> None:
    """Other bytes under a digest are not used, and the next maker's upload takes their place."""
    record = world.filled()
    name = world.path(f"cas/{record.outputs['a.whl'].sha256}")
    world.bucket.client.put_object(Bucket=world.bucket.bucket, Key=name, Body=b"x" * len(DATA))
    cache = world.machine("second")

    assert cache.find(KEY) is None
    kept(cache, KEY, {"a.whl": DATA}, world.folder, kind="fetched")

    assert world.answers("second") == ["miss: remote content has the wrong digest"]
    assert world.bucket.client.get_object(Bucket=world.bucket.bucket, Key=name)["Body"].read() == DATA
    assert world.machine("third").find(KEY) == record


def test_more_bytes_than_the_record_says_are_not_taken(world: World) -> None:
    """Content without end cannot fill the disk."""
    record = world.filled()
    name = world.path(f"cas/{record.outputs['a.whl'].sha256}")
    world.bucket.client.put_object(Bucket=world.bucket.bucket, Key=name, Body=DATA + b"x" * 2**22)
    cache = world.machine("second")

    assert cache.find(KEY) is None
    assert not [path for path in (world.folder / "second").rglob("*") if path.is_file() and path.stat().st_size > 10**5]


@pytest.mark.parametrize("body", [b"", b"{}", b"[" * 100_000, b"\xff" * 100, b'{"version":1}' + b" " * 2**24], ids=len)
def test_a_wrong_record_in_the_bucket_is_a_miss_and_replaced(world: World, body: bytes) -> None:
    """A record that cannot be read does not stand in the way for ever."""
    record = world.filled()
    world.bucket.client.put_object(Bucket=world.bucket.bucket, Key=world.path(f"ac/{KEY}.json"), Body=body)
    cache = world.machine("second")

    assert cache.find(KEY) is None
    kept(cache, KEY, {"a.whl": DATA}, world.folder, kind="fetched")

    assert world.machine("third").find(KEY) == record


def test_a_damaged_local_file_is_brought_again(world: World) -> None:
    """What the disk lost, the bucket still has."""
    record = world.filled()
    cache = world.machine("second")
    assert cache.find(KEY) == record
    path = cache.file(record.outputs["a.whl"])
    path.chmod(0o644)
    path.write_bytes(b"x" * len(DATA))

    assert cache.file(record.outputs["a.whl"]).read_bytes() == DATA


def test_the_server_refuses_bytes_that_changed_on_their_way(world: World) -> None:
    """The digest goes along: a bucket never shows content that it did not get whole and right."""
    tier = S3Tier(f"s3://{world.bucket.bucket}/c?endpoint={world.proxy.url}")
    with pytest.raises(RemoteTrouble):
        tier.put("trusted/cas/x", lambda: BytesIO(b"wrong"), 5, hashlib.sha256(b"right").hexdigest())
    assert tier.get("trusted/cas/x", 10) is None


def test_what_was_put_first_stands_in_the_bucket(world: World) -> None:
    """Conditional writes: the second one is told, and changes nothing."""
    tier = S3Tier(f"s3://{world.bucket.bucket}/c?endpoint={world.proxy.url}")
    answers = [
        tier.put("trusted/ac/x", partial(BytesIO, data), len(data), hashlib.sha256(data).hexdigest())
        for data in (b"first", b"second")
    ]

    assert answers == [True, False]
    assert tier.get("trusted/ac/x", 10) == b"first"
    assert tier.get("trusted/ac/x", 2) == b"fir"
