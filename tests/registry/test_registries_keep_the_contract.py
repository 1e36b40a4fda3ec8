"""The real registry over HTTP and the one in memory pass the same contract suite."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pipeline.adapters.registry import HttpRegistry
from pipeline.adapters.registry_credentials import Credentials
from pipeline.contracts.registry_contract import RegistryContract
from pipeline.ports.images import Registry
from tests.engines.fixtures import RegistryAddress
from tests.fakes.memory_registry import MemoryRegistry


class TestMemoryRegistry(RegistryContract):
    """The fake."""

    @pytest.fixture
    def client(self) -> Registry:
        """An empty world."""
        return MemoryRegistry()

    @pytest.fixture
    def repository(self) -> str:
        """Anything will do."""
        return "registry.example/contract"


class TestPlainRegistry(RegistryContract):
    """CNCF distribution, plain HTTP on loopback."""

    @pytest.fixture
    def client(self) -> Iterator[Registry]:
        """A client."""
        with closing(HttpRegistry()) as made:
            yield made

    @pytest.fixture
    def repository(self, registry: RegistryAddress) -> str:
        """A fresh name."""
        return f"{registry.address}/contract/{uuid.uuid4().hex}"


class TestPlainRegistryInPieces(TestPlainRegistry):
    """The same, each blob in pieces of a few bytes."""

    @pytest.fixture
    def client(self) -> Iterator[Registry]:
        """A client."""
        with closing(HttpRegistry(chunk=100)) as made:
            yield made


class TestSecureRegistry(RegistryContract):
    """The same over TLS of an own authority, with a password."""

    @pytest.fixture
    def client(self, secure_registry: RegistryAddress) -> Iterator[Registry]:
        """A client that knows both."""
        user, password = secure_registry.user or "", secure_registry.password or ""
        me = Credentials(username=user, password=password, source="the test")
        with closing(_secure(secure_registry.ca_file, {secure_registry.address: me})) as made:
            yield made

    @pytest.fixture
    def repository(self, secure_registry: RegistryAddress) -> str:
        """A fresh name."""
        return f"{secure_registry.address}/contract/{uuid.uuid4().hex}"


def _secure(ca_file: Path | None, credentials: dict[str, Credentials]) -> HttpRegistry:
    return HttpRegistry(ca_file=str(ca_file), credentials=credentials)
