"""Docker pulls and runs images that we wrote: the oracle for archives, configs, manifests and indexes."""

from __future__ import annotations

import json
from contextlib import closing

import pytest
from attrs import evolve

from pipeline.adapters.layer_writer import small_layer
from pipeline.contracts.registry_contract import nothing_done, opener
from pipeline.logic.image_manifests import append, index
from pipeline.model.images import DOCKER_MANIFEST, OCI_MANIFEST
from pipeline.model.layer_entries import file, folder, program, symlink
from pipeline.ports.images import OutgoingImage
from tests.engines.fixtures import DockerEngine
from tests.registry.faulty import client, fresh_repository

LONG = "/".join(["a-rather-long-part-of-a-path"] * 12)
LOOK = """
import json, os, sys
found = {}
for top, folders, files in os.walk(b"/project"):
    for name in folders + files:
        path = os.path.join(top, name)
        stat = os.lstat(path)
        content = os.readlink(path) if os.path.islink(path) else open(path, "rb").read() if os.path.isfile(path) else b""
        found[os.fsdecode(path)] = [oct(stat.st_mode & 0o7777), stat.st_uid, stat.st_gid, stat.st_mtime, content.decode()]
print(json.dumps([found, oct(os.stat("/opt").st_mode & 0o7777), os.getuid(), os.environ["OURS"]]))
"""


@pytest.mark.parametrize("media_type", [DOCKER_MANIFEST, OCI_MANIFEST])
def test_docker_runs_an_image_that_we_wrote(docker_engine: DockerEngine, base_image: str, media_type: str) -> None:
    """Names of any kind, owners, modes, links, user and environment are as they were written."""
    raw = "project/" + b"caf\xe9".decode("utf-8", "surrogateescape")
    entries = [
        file("project/ünï code.txt", "ü".encode()),
        file(f"project/{LONG}", b"long"),
        file(raw, b"raw"),
        program("project/run", b"#!/bin/sh\n"),
        symlink("project/link", f"{LONG}/ü"),
        folder("project/empty"),
        file("opt/x", b""),
    ]
    layer, data = small_layer(entries, created_by="tests")
    with closing(client()) as registry:
        base = registry.resolve(base_image)
        assert base is not None
        base = evolve(base, manifest=evolve(base.manifest, media_type=media_type))
        repository = fresh_repository(base_image.partition("/")[0])
        changes = {"User": "65532:0", "Env": {"OURS": "yes"}, "Entrypoint": ["python3", "-c", LOOK]}
        made = append(base, [layer], changes, repository=repository)
        for shared in base.layers:
            registry.send_blob(repository, shared.blob, opener(b""), origin=base.repository)
        registry.send_images([OutgoingImage(made=made, contents={layer.blob.digest: opener(data)})], nothing_done)
        index_type, index_data = index([made.image])
        digest = registry.send_manifest(repository, index_type, index_data)

    client_ = docker_engine.client
    try:
        said = client_.containers.run(f"{repository}@{digest}", remove=True)
    finally:
        client_.images.remove(f"{repository}@{digest}", force=True)

    found, opt, uid, ours = json.loads(said)
    assert found["/project/ünï code.txt"] == ["0o664", 65532, 0, 0, "ü"]
    assert found[f"/project/{LONG}"][4] == "long"
    assert found["/" + raw][4] == "raw"
    assert found["/project/run"][0] == "0o775"
    assert found["/project/link"][4] == f"{LONG}/ü"
    assert found["/project/empty"] == ["0o775", 65532, 0, 0, ""]
    assert (opt, uid, ours) == ("0o755", 65532, "yes")
