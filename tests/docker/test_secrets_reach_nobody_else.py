"""A whole run with every secret that projects have: registry, store, index, suite, agent. Each is where it is needed, and nowhere else."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from attrs import evolve

from pipeline.adapters.registry import HttpRegistry
from pipeline.adapters.registry_credentials import Credentials
from pipeline.logic.run_images import from_json
from tests.docker.house import DockerProject
from tests.engines.fixtures import Bucket, RegistryAddress
from tests.faults.project import Running, until

pytestmark = pytest.mark.timeout(300)
TEST = """\
import os, time

def test_secret():
    assert os.environ["PASSWORD"].startswith("s3cret-suite-")
    assert not [name for name in os.environ if name.startswith(("AWS_", "DOIT_FLEET_SECRET", "CI_JOB"))]
    with open(os.environ["FLEET_TRACE"], "a") as file:
        file.write("begun\\n")
    time.sleep(1)
"""


def spellings(secret: str) -> set[bytes]:
    """As it is, for URLs, and as headers and docker's files have it."""
    texts = (secret, f"fleet:{secret}", json.dumps({"username": "fleet", "password": secret}))
    return {secret.encode(), quote(secret, safe="").encode(), *(base64.b64encode(each.encode())[:-4] for each in texts)}


def unpacked(data: bytes) -> Iterator[bytes]:
    """The bytes, and what they hold if they are compressed."""
    yield data
    if data[:2] == b"\x1f\x8b":
        try:
            yield gzip.decompress(data)
        except (OSError, EOFError, zlib.error):
            return


def variables(s3: Bucket, folder: Path) -> dict[str, str]:
    """Credentials of the store as CI jobs have them."""
    return {
        "AWS_ENDPOINT_URL": s3.url,
        "AWS_ACCESS_KEY_ID": s3.access_key,
        "AWS_SECRET_ACCESS_KEY": s3.secret_key,
    }


def profile(s3: Bucket, folder: Path) -> dict[str, str]:
    """The same as a person has them: only a profile knows, which asks a process."""
    told = {"Version": 1, "AccessKeyId": s3.access_key, "SecretAccessKey": s3.secret_key}
    (folder / "told").write_text(json.dumps(told))
    lines = f"region = us-east-1\nendpoint_url = {s3.url}\ncredential_process = cat {folder / 'told'}\n"
    (folder / "config").write_text(f"[profile ci]\n{lines}")
    return {"AWS_PROFILE": "ci", "AWS_CONFIG_FILE": str(folder / "config")}


@pytest.mark.parametrize("access", [variables, profile])
def test_every_secret_stays_where_it_is_needed(
    project: DockerProject,
    secure_registry: RegistryAddress,
    s3: Bucket,
    tmp_path: Path,
    access: Callable[[Bucket, Path], dict[str, str]],
) -> None:
    """No layer, config, manifest, inspection, argument, log, report, file of ours or object of the store holds one of them."""
    assert secure_registry.password and secure_registry.ca_file
    secrets = {
        "suite": f"s3cret-suite-{project.marker}",
        "job": f"s3cret-job-{project.marker}",
        "index": f"s3cret-index-{project.marker}",
        "registry": secure_registry.password,
        "store": s3.secret_key,
    }
    docker = tmp_path / "docker-config"
    docker.mkdir()
    login = base64.b64encode(f"{secure_registry.user}:{secure_registry.password}".encode()).decode()
    (docker / "config.json").write_text(json.dumps({"auths": {secure_registry.address: {"auth": login}}}))
    project.registry = secure_registry.address
    project.suite = {"env": {"PASSWORD": {"secret": "db"}, "FLEET_TRACE": str(project.trace_file)}}
    project.write("test_secret.py", TEST)
    project.write(".env", f"PASSWORD={secrets['suite']}\n")
    environment = {
        "DOIT_FLEET_SECRET_DB": secrets["suite"],
        "DOCKER_CONFIG": str(docker),
        "CI_JOB_TOKEN": secrets["job"],
        "PIP_INDEX_URL": f"https://me:{secrets['index']}@index.example/simple",
        **access(s3, docker),
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    running = project.start(
        "-v2",
        f"registry.ca_file={secure_registry.ca_file}",
        f"store.url=s3://{s3.bucket}/store",
        "docker.network=host",
        "workers.count=1",
        env=environment,
    )

    found = dict(watched(project, running))
    assert running.end() == 0, running.output
    assert project.traces() == ["begun"]

    found.update(stored(s3))
    found.update(pushed(project, secure_registry, tmp_path))
    for folder in (project.root / "build", project.root / ".fleet", project.temporary):
        found.update({str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()})
    found["output"] = running.output.encode()
    assert {"arguments", "inspection", "history", "manifest", "config", "layer 1"} <= found.keys()
    assert [name for name in found if name.endswith("events.jsonl")]
    assert [name for name in found if name.startswith("s3 store/runs/")]
    bad = {
        (name, kind)
        for name, data in found.items()
        for kind, secret in secrets.items()
        for each in unpacked(data)
        if any(word in each for word in spellings(secret))
    }
    assert not bad


def watched(project: DockerProject, running: Running) -> Iterator[tuple[str, bytes]]:
    """Arguments of all processes of the machine while it runs; what the daemon tells of its containers and images."""
    arguments: set[bytes] = set()
    seen: dict[str, bytes] = {}

    def is_over() -> bool:
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit():
                try:
                    arguments.add((folder / "cmdline").read_bytes())
                except OSError:
                    continue
        if "inspection" not in seen and project.traces():
            told = [json.dumps([one.attrs, one.top()]) for one in project.containers()]
            images = {one.attrs["Image"] for one in project.containers()}
            api = project.client.api
            seen["inspection"] = "".join(told).encode()
            seen["history"] = json.dumps([[api.inspect_image(one), api.history(one)] for one in images]).encode()
        return running.process.poll() is not None

    until(is_over, lambda: running.output, 200)
    yield from seen.items()
    assert any(b"workers.count=1" in each for each in arguments)
    yield "arguments", b"\n".join(arguments)


def stored(s3: Bucket) -> Iterator[tuple[str, bytes]]:
    """Every object of the bucket."""
    for page in s3.client.get_paginator("list_objects_v2").paginate(Bucket=s3.bucket):
        for entry in page.get("Contents", ()):
            body = s3.client.get_object(Bucket=s3.bucket, Key=entry["Key"])["Body"].read()
            yield f"s3 {entry['Key']}", body


def pushed(project: DockerProject, at: RegistryAddress, folder: Path) -> Iterator[tuple[str, bytes]]:
    """Manifest, config and all layers of all images of the run, but the base's own layer."""
    password = at.password or ""
    client = HttpRegistry(
        ca_file=str(at.ca_file),
        credentials={at.address: Credentials(username=at.user or "", password=password, source="the test")},
    )
    images = from_json((project.root / "build/push/images.json").read_text("utf-8"))
    for reference in {*images.by_slot, images.index}:
        image = client.resolve(reference)
        assert image is not None
        yield "manifest", repr(evolve(image, config={})).encode()
        yield "config", json.dumps(image.config).encode()
        for number, layer in enumerate(image.layers):
            path = folder / f"layer-{layer.diff_id[7:19]}"
            if number:
                client.fetch_blob(image.repository, layer.blob, path)
                yield f"layer {number}", path.read_bytes()
