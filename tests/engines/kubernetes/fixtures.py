"""Fixtures of clusters: the shared one, and one of a test process's own whose parts may be hurt. Skipped where it does not run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.engines import binaries
from tests.engines.fixtures import RegistryAddress
from tests.engines.kubernetes.cluster import PROGRAMS, Kubernetes
from tests.engines.kubernetes.namespaces import Cluster, fresh_namespace
from tests.engines.kubernetes.part import MODULE
from tests.engines.own import own_folder

START = "start it with `python -m tests.engines start kubernetes`"


@pytest.fixture
def cluster(registry: RegistryAddress, tmp_path: Path) -> Iterator[Cluster]:
    """The shared cluster with a namespace of this test's own; not to be hurt."""
    engine = Kubernetes()
    if not engine.running():
        pytest.skip(f"kubernetes does not run: {START}")
    with fresh_namespace(engine, registry.address, tmp_path) as found:
        yield found


@contextmanager
def own_kubernetes() -> Iterator[Kubernetes]:
    """A cluster beside the shared one; about 25 s to start. What a killed test leaves is swept like other private engines."""
    if not all(binaries.find(program, MODULE) for program in PROGRAMS):
        pytest.skip(f"kubernetes is not built: {START}")
    with own_folder("kubernetes") as folder:
        engine = Kubernetes(folder)
        try:
            engine.start()
            yield engine
        finally:
            engine.stop()


@pytest.fixture(scope="session")
def _own_kubernetes() -> Iterator[Kubernetes]:
    with own_kubernetes() as engine:
        yield engine


@pytest.fixture
def own_cluster(request: pytest.FixtureRequest, registry: RegistryAddress, tmp_path: Path) -> Iterator[Cluster]:
    """A cluster of this test process's own, with a namespace of this test's own.

    Parts (`.engine.parts[name]`) and nodes (`.engine.nodes[name]`) may be killed; they are healed for the next test.
    """
    if not Kubernetes().running():
        pytest.skip(f"kubernetes does not run, so no private one is wanted: {START}")
    engine: Kubernetes = request.getfixturevalue("_own_kubernetes")
    engine.heal()
    with fresh_namespace(engine, registry.address, tmp_path) as found:
        try:
            yield found
        finally:
            engine.heal()
