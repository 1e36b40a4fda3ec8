"""Fixtures: running engines, or a skip that names the command which starts them (a failure with DOIT_FLEET_ENGINES=required).

Shared ones are never started here: tests run on several workers at once and none of them may own what all use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeVar

import pytest
from attrs import frozen

from tests.engines import images, only_outside_pods, own, require
from tests.engines.docker import Docker, OwnDocker
from tests.engines.engine import Engine
from tests.engines.proxy import FaultProxy
from tests.engines.registries import PASSWORD, USER, PlainRegistry, SecureRegistry
from tests.engines.s3 import S3Server
from tests.engines.token_registry import TokenRegistry


@frozen(kw_only=True)
class DockerEngine:
    """A Docker daemon."""

    host: str
    """For DOCKER_HOST."""
    client: Any
    """Of the Docker SDK."""


@frozen(kw_only=True)
class RegistryAddress:
    """A registry as its clients know it."""

    address: str
    """Host and port, as in an image's name."""
    ca_file: Path | None = None
    user: str | None = None
    password: str | None = None


@frozen(kw_only=True)
class TokenAddress(RegistryAddress):
    """A registry that asks for tokens."""

    realm: str
    """Where they are given, for user and password."""


@frozen(kw_only=True)
class Bucket:
    """S3 with a fresh bucket."""

    url: str
    access_key: str
    secret_key: str
    bucket: str
    client: Any
    """Of boto3."""


EngineT = TypeVar("EngineT", bound=Engine)


def running(engine: EngineT) -> EngineT:
    """That engine, if it was started and answers."""
    found = engine if engine.running() else None
    return require(found, f"{engine.name} does not run: start it with `python -m tests.engines start {engine.name}`")


@pytest.fixture(scope="session")
def docker_engine() -> Iterator[DockerEngine]:
    """The shared Docker daemon."""
    only_outside_pods("a daemon's socket is as good as root, and no pod's user is")
    engine = running(Docker())
    client = engine.client()
    yield DockerEngine(host=engine.host, client=client)
    client.close()


@pytest.fixture(scope="session")
def registry() -> RegistryAddress:
    """The shared registry, plain HTTP; others use it too, so name repositories after the test."""
    return RegistryAddress(address=running(PlainRegistry()).address)


@pytest.fixture(scope="session")
def secure_registry() -> RegistryAddress:
    """The shared registry with TLS by a CA of its own, and a password."""
    engine = running(SecureRegistry())
    return RegistryAddress(address=engine.address, ca_file=engine.certificates.ca, user=USER, password=PASSWORD)


@pytest.fixture
def s3() -> Iterator[Bucket]:
    """The shared S3 server with a bucket for this test."""
    engine = running(S3Server())
    client = engine.client()
    with engine.bucket() as bucket:
        yield Bucket(
            bucket=bucket, client=client, **{key: engine.facts[key] for key in ("url", "access_key", "secret_key")}
        )
    client.close()


@pytest.fixture(scope="session")
def base_image(registry: RegistryAddress) -> str:
    """Debian with Python 3.11, in the plain registry."""
    return _image(images.BASE)


@pytest.fixture(scope="session")
def redis_image(registry: RegistryAddress) -> str:
    """The same with a redis server that listens on port 6379 of all addresses, in the plain registry."""
    return _image(images.REDIS)


def _image(recipe: images.Recipe) -> str:
    found = images.find(recipe, PlainRegistry())
    return require(found, f"{recipe.reference} is not there: make it with `python -m tests.engines start images`")


@pytest.fixture(scope="session")
def token_registry() -> TokenAddress:
    """The shared registry with TLS that asks for tokens, which are given for a password."""
    engine = running(TokenRegistry())
    realm = str(engine.facts["realm"])
    return TokenAddress(
        address=engine.address, ca_file=engine.certificates.ca, user=USER, password=PASSWORD, realm=realm
    )


@pytest.fixture
def own_registry() -> Iterator[PlainRegistry]:
    """A registry of this test's own, to be killed, paused, restarted."""
    with own.own_registry() as engine:
        yield engine


@pytest.fixture
def own_s3() -> Iterator[S3Server]:
    """An S3 server of this test's own."""
    with own.own_s3() as engine:
        yield engine


@pytest.fixture
def own_docker() -> Iterator[OwnDocker]:
    """A Docker daemon of this test's own."""
    with own.own_docker() as engine:
        yield engine


@pytest.fixture
def fault_proxy() -> Iterator[Callable[[str], FaultProxy]]:
    """Makes proxies to an engine's address (`host:port` or `unix:///path`)."""
    with ExitStack() as stack:
        yield lambda upstream: stack.enter_context(FaultProxy(upstream))
