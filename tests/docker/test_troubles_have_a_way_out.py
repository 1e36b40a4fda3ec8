"""What goes wrong before any test runs is told with what to do about it."""

from __future__ import annotations

import gc
import io
import time
import uuid
from contextlib import closing
from pathlib import Path

import pytest

from pipeline.adapters.docker_engine import DockerEngine
from pipeline.adapters.docker_errors import DaemonUnreachable
from pipeline.adapters.docker_pull import pull_image
from pipeline.adapters.layer_writer import small_layer
from pipeline.adapters.registry import HttpRegistry
from pipeline.adapters.registry_credentials import Credentials
from pipeline.contracts.registry_contract import scratch_image
from pipeline.errors import EngineError
from pipeline.logic.image_manifests import append
from pipeline.model.images import OCI_MANIFEST
from pipeline.model.layer_entries import LayerEntry
from pipeline.ports.images import OutgoingImage
from tests.docker.house import DockerProject
from tests.engines.fixtures import DockerEngine as RunningDocker
from tests.engines.fixtures import RegistryAddress


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_daemon_that_does_not_answer_is_named(tmp_path: Path) -> None:
    """With the address, and it may be tried again."""
    engine = DockerEngine(f"unix://{tmp_path}/none.sock")

    with pytest.raises(DaemonUnreachable, match="none.sock") as caught:
        engine.list({"a": "b"})
    assert "DOCKER_HOST" in caught.value.hint
    assert not caught.value.permanent
    del caught
    gc.collect()  # Docker's SDK leaves a socket open that it could not connect.


def test_an_image_that_is_not_there_is_no_passing_trouble(
    docker_engine: RunningDocker, registry: RegistryAddress
) -> None:
    """The registry knows nothing of it: said at once."""
    begun, engine = time.monotonic(), DockerEngine(docker_engine.host)
    with closing(engine), pytest.raises(EngineError, match="cannot be pulled") as caught:
        engine.pull(f"{registry.address}/fleet-tests/none@sha256:{'0' * 64}")

    assert "doit push" in caught.value.hint
    assert time.monotonic() - begun < 5


def test_credentials_of_the_settings_serve_the_daemon_too(
    docker_engine: RunningDocker, secure_registry: RegistryAddress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who names user and password in the settings need not log in to pull what was pushed with them."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    at, password = secure_registry.address, secure_registry.password or ""
    credentials = {at: Credentials(username=secure_registry.user or "", password=password, source="the test")}
    layer, data = small_layer([LayerEntry(path=uuid.uuid4().hex, content=b"x")], created_by="the test")
    made = append(scratch_image(f"{at}/fleet-tests/credentials", OCI_MANIFEST), [layer], {})
    one = OutgoingImage(made=made, contents={layer.blob.digest: lambda: io.BytesIO(data)})
    with closing(HttpRegistry(ca_file=str(secure_registry.ca_file), credentials=credentials)) as registry:
        registry.send_images([one], lambda _: None)
    reference = one.made.image.reference

    with (
        closing(DockerEngine(docker_engine.host)) as nobody,
        pytest.raises(EngineError, match="cannot be pulled") as said,
    ):
        nobody.pull(reference)
    assert "docker login" in said.value.hint
    with closing(DockerEngine(docker_engine.host, credentials)) as engine:
        engine.pull(reference)
    assert docker_engine.client.images.get(reference)
    docker_engine.client.images.remove(reference)


def test_a_registry_that_is_down_is_given_time(docker_engine: RunningDocker) -> None:
    """A pull is tried again until patience ends, then the reason is told."""
    begun = time.monotonic()
    with pytest.raises(EngineError, match="refused"):
        pull_image(docker_engine.client.api, docker_engine.host, "127.0.0.1:9/none:1", patience_seconds=1.0)

    assert time.monotonic() - begun >= 0.5


def test_a_folder_cannot_be_shared_with_another_machine(project: DockerProject) -> None:
    """A store of files and a remote daemon are refused before anything runs."""
    project.sleepers(files=1, count=1, seconds=0)
    running = project.start("docker.host=tcp://docker.example.net:2376")

    assert running.end() == 3, running.output
    assert "s3://" in running.output


def test_a_secret_for_a_service_is_refused(project: DockerProject) -> None:
    """Anybody who may inspect a container could read it."""
    service = {"image": "redis", "environment": {"PASSWORD": {"secret": "db"}}}
    project.suite = {"services": {"cache": service}}
    project.sleepers(files=1, count=1, seconds=0)
    running = project.start(env={"DOIT_FLEET_SECRET_DB": "hush"})

    assert running.end() == 3, running.output
    assert "services.cache.environment.PASSWORD" in running.output
