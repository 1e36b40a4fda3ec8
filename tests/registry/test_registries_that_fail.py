"""A registry that is killed, gone, paused or full: work goes on when it is back, or the error says what is wrong."""

from __future__ import annotations

import threading
from contextlib import closing

import pytest

from pipeline.contracts.registry_contract import outgoing
from pipeline.errors import EngineError
from pipeline.ports.images import OutgoingImage
from tests.engines import own, ports
from tests.engines.registries import PlainRegistry
from tests.registry.faulty import client, fresh_blob, fresh_repository

MIB = 1 << 20


def test_a_registry_that_is_killed_and_comes_back_gets_everything(own_registry: PlainRegistry) -> None:
    """Killed amid a hundred images and started again: all of them are there."""
    repository = fresh_repository(own_registry.address)
    images = [outgoing(repository, f"{n}") for n in range(100)]
    back: list[threading.Thread] = []

    def kill_once(_: OutgoingImage) -> None:
        if not back:
            own_registry.kill()
            back.append(threading.Thread(target=own_registry.restart))
            back[0].start()

    with closing(client(first_wait_seconds=0.5, tries=10)) as registry:
        registry.send_images(images, kill_once)
        back[0].join()

        assert all(registry.has_manifest(repository, one.made.image.manifest.digest) for one in images)


def test_a_registry_that_is_gone_is_named(own_registry: PlainRegistry) -> None:
    """Who cannot be reached, and for what."""
    address = own_registry.address
    own_registry.kill()

    with (
        closing(client(tries=2)) as registry,
        pytest.raises(EngineError, match=rf"registry '{address}' cannot be reached.*refused"),
    ):
        registry.tags(f"{address}/a")


def test_a_port_where_nobody_listens_is_named() -> None:
    """The same before anything was sent."""
    with closing(client(tries=2)) as registry, pytest.raises(EngineError, match="cannot be reached"):
        registry.resolve(f"127.0.0.1:{ports.any_free()}/a:b")


def test_a_registry_that_hangs_is_given_up(own_registry: PlainRegistry) -> None:
    """A paused one is waited for as long as was said, and no longer."""
    with closing(client(tries=2, timeouts=(1.0, 0.5))) as registry:
        repository = fresh_repository(own_registry.address)
        assert registry.tags(repository) == []
        own_registry.pause()
        with pytest.raises(EngineError, match="cannot be reached"):
            for _ in range(1000):  # A thread of it that was at work may answer once more.
                registry.tags(repository)
        own_registry.resume()

        assert registry.tags(repository) == []


@pytest.mark.parametrize("chunk", [MIB, 64 * MIB])
def test_a_full_registry_is_called_full(chunk: int) -> None:
    """In one request or in pieces; no tries are wasted; what fits is still taken."""
    with own.own_registry(mebibytes=8) as engine, closing(client(chunk=chunk)) as registry:
        repository = fresh_repository(engine.address)
        blob, content = fresh_blob(12 * MIB)

        with pytest.raises(EngineError, match=rf"registry '{engine.address}' is full") as caught:
            registry.send_blob(repository, blob, content)

        assert "doit sweep" in caught.value.hint
        assert registry.requests < 30
