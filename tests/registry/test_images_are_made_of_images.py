"""Layers are appended, configs changed and indexes written, with the same bytes for the same inputs."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts.registry_contract import scratch_image
from pipeline.errors import EngineError, UsageError
from pipeline.logic.image_manifests import append, index
from pipeline.logic.manifest_reading import (
    media_type_of,
    read_children,
    read_image,
    read_index,
    read_manifest,
)
from pipeline.logic.platforms import choose, parse_platform, suits
from pipeline.model.images import DOCKER_LAYER, DOCKER_MANIFEST, OCI_LAYER, OCI_MANIFEST, Descriptor, Layer
from pipeline.model.references import parse_reference

DIGEST = f"sha256:{7:064}"
LAYER = Layer(blob=Descriptor(media_type=OCI_LAYER, digest=DIGEST, size=3), diff_id=f"sha256:{8:064}", created_by="us")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
)
KEYS = st.sampled_from(["mediaType", "config", "layers", "manifests", "digest", "size", "platform", "os", "rootfs"])


@pytest.mark.parametrize(("kind", "layer"), [(DOCKER_MANIFEST, DOCKER_LAYER), (OCI_MANIFEST, OCI_LAYER)])
def test_an_appended_image_is_read_back(kind: str, layer: str) -> None:
    """Its bytes parse to the image that was promised, in the base's format, with one more layer and line of history."""
    base = append(scratch_image("r/a", kind), [LAYER]).image
    made = append(base, [LAYER], {"User": "65532:0"}, repository="r/b")

    found = read_image("r/b", made.image.manifest, read_manifest(made.manifest), made.config)

    assert [one.blob for one in found.layers] == [one.blob for one in made.image.layers]
    assert found.config == made.image.config
    assert {one.blob.media_type for one in found.layers} == {layer}
    assert len(found.config["history"]) == len(found.layers) == 2
    assert found.config["history"][1] == {"created": "1970-01-01T00:00:00Z", "created_by": "us"}
    assert media_type_of(made.manifest, "") == kind
    assert made.image.manifest.digest == f"sha256:{hashlib.sha256(made.manifest).hexdigest()}"


def test_equal_inputs_give_equal_bytes() -> None:
    """The order of keys does not matter."""
    base = scratch_image("r/a", OCI_MANIFEST)
    one = append(base, [LAYER], {"Env": {"A": "1", "B": "2"}, "Labels": {"x": "1", "y": "2"}})
    two = append(base, [LAYER], {"Labels": {"y": "2", "x": "1"}, "Env": {"B": "2", "A": "1"}})

    assert (one.config, one.manifest) == (two.config, two.manifest)


def test_the_config_is_changed_as_a_dockerfile_would() -> None:
    """Variables and labels are overridden by name; a new entry point forgets the command; None removes."""
    old = {
        "Env": ["PATH=/bin", "A=1=1", "B=2"],
        "Labels": {"x": "1"},
        "Cmd": ["sh"],
        "User": "0",
        "Volumes": {"/v": {}},
    }
    base = scratch_image("r/a", OCI_MANIFEST, config=old, container="abc", docker_version="20")

    made = append(base, [], {"Env": {"B": "3", "C": "4"}, "Labels": {"y": "2"}, "Entrypoint": ["/w"], "Volumes": None})

    assert json.loads(made.config)["config"] == {
        "Env": ["PATH=/bin", "A=1=1", "B=3", "C=4"],
        "Labels": {"x": "1", "y": "2"},
        "Entrypoint": ["/w"],
        "User": "0",
    }
    assert "container" not in made.image.config
    assert base.config["config"] == old


def test_an_index_names_each_image_once_with_its_platform() -> None:
    """And says no more than its children need."""
    images = [append(scratch_image("r/a", DOCKER_MANIFEST, arch), [LAYER]).image for arch in ("amd64", "arm64")]
    _, data = index([*images, images[0]])

    assert [(str(platform), one) for platform, one in read_index(data)] == [
        ("linux/amd64", images[0].manifest),
        ("linux/arm64", images[1].manifest),
    ]
    assert list(read_children(data)) == [one.manifest.digest for one in images]
    with pytest.raises(UsageError):
        index([])


@pytest.mark.parametrize(
    ("offered", "wanted", "suit"),
    [
        ("linux/arm64", "linux/arm64/v8", True),
        ("linux/arm64/v8", "linux/arm64", True),
        ("linux/aarch64", "linux/arm64", True),
        ("linux/arm64/v9", "linux/arm64", False),
        ("linux/arm/v6", "linux/arm/v7", True),
        ("linux/arm/v7", "linux/arm/v6", False),
        ("linux/arm/v7", "linux/arm64", False),
        ("linux/x86_64", "linux/amd64", True),
        ("linux/amd64/v3", "linux/amd64", False),
        ("windows/amd64", "linux/amd64", False),
    ],
)
def test_a_machine_runs_what_was_made_for_an_older_one(offered: str, wanted: str, suit: bool) -> None:
    """Of the same system and architecture."""
    assert suits(parse_platform(offered), parse_platform(wanted)) is suit


def test_the_newest_fitting_variant_is_chosen() -> None:
    """Wherever it stands in the index."""
    offered = [
        (parse_platform(f"linux/arm/v{n}"), Descriptor(media_type=OCI_MANIFEST, digest=DIGEST, size=n))
        for n in (5, 7, 6)
    ]

    assert choose(offered, parse_platform("linux/arm"), "x").size == 7
    assert choose(offered, parse_platform("linux/arm/v6"), "x").size == 6


@given(
    st.one_of(JSON, st.dictionaries(KEYS, JSON, max_size=6)).map(lambda value: json.dumps(value).encode()) | st.binary()
)
def test_hostile_bytes_are_an_error_and_no_traceback(data: bytes) -> None:
    """Whatever a registry says."""
    descriptor = Descriptor(media_type=OCI_MANIFEST, digest=DIGEST, size=1)
    manifest = read_manifest(b'{"config": %b}' % CONFIG)
    for read in (
        read_manifest,
        read_index,
        read_children,
        lambda data: media_type_of(data, ""),
        lambda data: append(read_image("r/a", descriptor, manifest, data), [LAYER], {"Env": {"A": "1"}, "Labels": {}}),
    ):
        with suppress(EngineError):
            read(data)


@pytest.mark.parametrize("config", [{"Env": "A"}, {"Env": [1]}, {"Labels": []}, {"User": "\ud800"}, [], "x"])
def test_a_hostile_config_is_an_error_or_passed_on(config: object) -> None:
    """Nothing in it breaks what is built upon it."""
    data = json.dumps({"rootfs": {"diff_ids": []}, "config": config}).encode()
    manifest = read_manifest(b'{"config": %b}' % CONFIG)

    with suppress(EngineError):
        append(read_image("r/a", LAYER.blob, manifest, data), [LAYER], {"Env": {"A": "1"}, "Labels": {}})


CONFIG = json.dumps({"mediaType": "x", "digest": DIGEST, "size": 1}).encode()


@pytest.mark.parametrize(
    ("text", "repository", "target"),
    [
        ("python", "docker.io/library/python", "latest"),
        ("python:3.11", "docker.io/library/python", "3.11"),
        ("acme/shop", "docker.io/acme/shop", "latest"),
        ("docker.io/python", "docker.io/library/python", "latest"),
        ("index.docker.io/library/python", "docker.io/library/python", "latest"),
        ("localhost/shop", "localhost/shop", "latest"),
        ("localhost:5000/a/b:t", "localhost:5000/a/b", "t"),
        ("registry.acme.net/ci/shop_x--y", "registry.acme.net/ci/shop_x--y", "latest"),
        ("[::1]:5000/a", "[::1]:5000/a", "latest"),
        (f"r.io/a:t@{DIGEST}", "r.io/a", DIGEST),
    ],
)
def test_names_are_read_as_docker_reads_them(text: str, repository: str, target: str) -> None:
    """With its defaults."""
    found = parse_reference(text)

    assert (found.repository, found.target) == (repository, target)
    assert parse_reference(str(found)) == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Python",
        "a b",
        "r.io/",
        "r.io/A",
        "r.io/a:",
        "r.io/a@sha256:1",
        "https://r.io/a",
        "r.io/../a",
        "a:b:c",
        "r.io/a@",
    ],
)
def test_what_is_no_name_is_a_usage_error(text: str) -> None:
    """With an example."""
    with pytest.raises(UsageError, match="no name of an image"):
        parse_reference(text)
