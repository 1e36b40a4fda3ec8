"""Fixtures of clusters: the shared one, and one of a test process's own whose parts may be hurt. Skipped where it does not run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.engines import binaries, only_outside, require
from tests.engines.fixtures import RegistryAddress, running
from tests.engines.kubernetes.cluster import PROGRAMS, Kubernetes
from tests.engines.kubernetes.namespaces import Cluster, fresh_namespace
from tests.engines.kubernetes.part import MODULE
from tests.engines.own import own_folder


@pytest.fixture
def cluster(registry: RegistryAddress, tmp_path: Path) -> Iterator[Cluster]:
    """The shared cluster with a namespace of this test's own; not to be hurt."""
    only_outside(
        "a cluster beside the container would be tested as it is from the machine, and nobody in a pod is its administrator"
    )
    engine = running(Kubernetes())
    with fresh_namespace(engine, registry.address, tmp_path) as found:
        yield found


@contextmanager
def own_kubernetes() -> Iterator[Kubernetes]:
    """A cluster beside the shared one; about 25 s to start. What a killed test leaves is swept like other private engines."""
    only_outside("nodes need control groups, mounts and networks of the machine itself")
    built = all(binaries.find(program, MODULE) for program in PROGRAMS)
    require(built or None, "kubernetes is not built: do it with `python -m tests.engines start kubernetes`")
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
    engine: Kubernetes = request.getfixturevalue("_own_kubernetes")
    engine.heal()
    with fresh_namespace(engine, registry.address, tmp_path) as found:
        try:
            yield found
        finally:
            engine.heal()
