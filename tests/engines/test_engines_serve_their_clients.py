"""What a shared engine gives to its clients."""

from __future__ import annotations

import urllib.request

import pytest

from tests.engines.fixtures import Bucket, DockerEngine, RegistryAddress


def test_docker_runs_the_base_image(docker_engine: DockerEngine, base_image: str) -> None:
    """A container of the base image has Python 3.11."""
    said = docker_engine.client.containers.run(
        base_image, ["python3", "-c", "import sys; print(sys.version_info[:2])"], remove=True
    )
    assert said == b"(3, 11)\n"


def test_docker_tells_of_containers_killed_for_memory(docker_engine: DockerEngine, base_image: str) -> None:
    """Limits hold: who wants more than its limit is killed, and Docker says why."""
    script = "x = bytearray(300 << 20)"
    made = docker_engine.client.containers.run(base_image, ["python3", "-c", script], mem_limit="32m", detach=True)
    try:
        assert made.wait(timeout=30)["StatusCode"] == 137
        made.reload()
        assert made.attrs["State"]["OOMKilled"] is True
    finally:
        made.remove(force=True)


def test_the_plain_registry_serves_http(registry: RegistryAddress) -> None:
    """The registry API answers without TLS and without a password."""
    with urllib.request.urlopen(f"http://{registry.address}/v2/", timeout=5) as answer:
        assert answer.status == 200


def test_s3_refuses_a_second_create_of_a_key(s3: Bucket) -> None:
    """Conditional writes are honoured, and a wrong checksum is refused."""
    s3.client.put_object(Bucket=s3.bucket, Key="a", Body=b"1", IfNoneMatch="*")
    with pytest.raises(s3.client.exceptions.ClientError, match="PreconditionFailed"):
        s3.client.put_object(Bucket=s3.bucket, Key="a", Body=b"2", IfNoneMatch="*")
    with pytest.raises(s3.client.exceptions.ClientError, match="ChecksumSHA256|BadDigest"):
        s3.client.put_object(Bucket=s3.bucket, Key="b", Body=b"2", ChecksumSHA256="A" * 43 + "=")
