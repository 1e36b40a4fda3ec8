"""What every registry must do: subclass, give the fixtures, and pytest runs the claims against yours.

class TestMyRegistry(RegistryContract):
    @pytest.fixture
    def client(self):
        return MyRegistry()

    @pytest.fixture
    def repository(self):
        return "host:port/path"  # a fresh, empty one for each test
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from pipeline.errors import EngineError, UsageError
from pipeline.logic.image_manifests import append, canonical, descriptor, index
from pipeline.model.images import (
    DOCKER_MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
    Descriptor,
    Image,
    Layer,
    MadeImage,
)
from pipeline.ports.images import OutgoingImage, Registry

BLOB = "application/octet-stream"


def scratch_image(repository: str, media_type: str, architecture: str = "amd64", **more: Any) -> Image:
    """An image without layers that is nowhere yet, for `append` to build on."""
    config = {"os": "linux", "architecture": architecture, "rootfs": {"type": "layers", "diff_ids": []}, **more}
    nothing = Descriptor(media_type=media_type, digest=f"sha256:{0:064}", size=0)
    return Image(repository=repository, manifest=nothing, config_blob=nothing, config=config, layers=())


def opener(data: bytes) -> Callable[[], BinaryIO]:
    """Opens bytes."""
    return lambda: io.BytesIO(data)


def outgoing(
    repository: str, text: str, *, media_type: str = OCI_MANIFEST, tag: str = "", **base: Any
) -> OutgoingImage:
    """An image of one layer, whose content is no archive: a registry does not look into it."""
    data = text.encode()
    layer = Layer(blob=descriptor(data, BLOB), diff_id=descriptor(data, "").digest)
    made = append(scratch_image(repository, media_type, **base), [layer], {"Env": {"TEXT": text}})
    return OutgoingImage(made=made, contents={layer.blob.digest: opener(data)}, tag=tag)


def nothing_done(_: OutgoingImage) -> None:
    """Take no notice."""


class RegistryContract:
    """Claims about blobs, manifests, indexes, tags and deletion."""

    @pytest.fixture
    def client(self) -> Registry:
        """Override: the client."""
        raise NotImplementedError

    @pytest.fixture
    def repository(self) -> str:
        """Override: a repository that nobody has used."""
        raise NotImplementedError

    @pytest.mark.parametrize("media_type", [DOCKER_MANIFEST, OCI_MANIFEST])
    def test_an_image_that_was_sent_is_resolved(self, client: Registry, repository: str, media_type: str) -> None:
        """By tag and by digest, the same image, config and layers included, in the format it was sent in."""
        one = outgoing(repository, "hello", media_type=media_type, tag="t")
        client.send_images([one], nothing_done)

        by_tag, by_digest = (client.resolve(name) for name in (f"{repository}:t", one.made.image.reference))

        assert by_tag is not None
        assert by_tag == by_digest
        assert by_tag.manifest == one.made.image.manifest
        assert by_tag.config == json.loads(one.made.config)
        assert [layer.diff_id for layer in by_tag.layers] == [layer.diff_id for layer in one.made.image.layers]

    def test_what_is_not_there_is_none(self, client: Registry, repository: str) -> None:
        """Neither an unknown tag nor an unknown repository is an error."""
        assert client.resolve(f"{repository}:absent") is None
        assert client.tags(repository) == []
        assert not client.has_manifest(repository, f"sha256:{1:064}")
        assert list(client.children(repository, f"sha256:{1:064}")) == []

    def test_a_blob_is_sent_once(self, client: Registry, repository: str, tmp_path: Path) -> None:
        """The second time no byte is sent; what is fetched is what was sent."""
        data = bytes(range(256)) * 40
        blob = descriptor(data, BLOB)

        counts = [client.send_blob(repository, blob, opener(data)) for _ in range(2)]
        client.fetch_blob(repository, blob, tmp_path / "blob")

        assert counts == [len(data), 0]
        assert (tmp_path / "blob").read_bytes() == data

    def test_a_blob_is_taken_from_another_repository(self, client: Registry, repository: str, tmp_path: Path) -> None:
        """With an origin, no byte is sent; an origin that lacks it is no error."""
        data, other = b"shared by two", b"of one only"
        client.send_blob(f"{repository}/a", descriptor(data, BLOB), opener(data))

        mounted = client.send_blob(f"{repository}/b", descriptor(data, BLOB), opener(data), origin=f"{repository}/a")
        sent = client.send_blob(f"{repository}/b", descriptor(other, BLOB), opener(other), origin=f"{repository}/a")
        client.fetch_blob(f"{repository}/b", descriptor(data, BLOB), tmp_path / "blob")

        assert (mounted, sent) == (0, len(other))
        assert (tmp_path / "blob").read_bytes() == data

    def test_content_that_is_not_the_blob_is_refused(self, client: Registry, repository: str) -> None:
        """Bytes of another digest are never stored under it."""
        blob = descriptor(b"promised", BLOB)

        with pytest.raises(EngineError):
            client.send_blob(repository, blob, opener(b"provided"))

        assert client.send_blob(repository, blob, opener(b"promised")) == 8

    def test_a_blob_that_is_not_there_leaves_no_file(self, client: Registry, repository: str, tmp_path: Path) -> None:
        """The error comes before anything appears."""
        with pytest.raises(EngineError):
            client.fetch_blob(repository, descriptor(b"absent", BLOB), tmp_path / "blob")

        assert list(tmp_path.iterdir()) == []

    def test_a_manifest_of_absent_blobs_is_refused(self, client: Registry, repository: str) -> None:
        """What an image names is there, or the image is not."""
        made: MadeImage = outgoing(repository, "unsent").made

        with pytest.raises(EngineError):
            client.send_manifest(repository, made.image.manifest.media_type, made.manifest, tag="t")

        assert client.resolve(f"{repository}:t") is None

    def test_an_index_is_resolved_to_a_platform(self, client: Registry, repository: str) -> None:
        """Each platform gets its image; attestations are nobody's; an absent platform is told what there is."""
        images = [outgoing(repository, name, architecture=name) for name in ("amd64", "arm64")]
        attestation = outgoing(repository, "unknown", architecture="unknown", os="unknown")
        client.send_images([*images, attestation], nothing_done)
        media_type, data = index([one.made.image for one in images])
        parsed = json.loads(data)
        digest, size = attestation.made.image.manifest.digest, attestation.made.image.manifest.size
        unknown = {"os": "unknown", "architecture": "unknown"}
        parsed["manifests"].insert(0, {"mediaType": OCI_MANIFEST, "digest": digest, "size": size, "platform": unknown})
        client.send_manifest(repository, media_type, canonical(parsed), tag="all")

        for one, platform in zip(images, ("linux/amd64", "linux/arm64/v8"), strict=True):
            found = client.resolve(f"{repository}:all", platform)
            assert found is not None
            assert found.manifest == one.made.image.manifest
        with pytest.raises(UsageError, match=r"linux/amd64, linux/arm64"):
            client.resolve(f"{repository}:all", "linux/s390x")

    def test_an_index_names_its_children(self, client: Registry, repository: str) -> None:
        """In order, each once; an image has none."""
        images = [outgoing(repository, text) for text in "abc"]
        client.send_images(images, nothing_done)
        media_type, data = index([one.made.image for one in [*images, images[0]]])
        digest = client.send_manifest(repository, media_type, data, tag="all")

        assert media_type == OCI_INDEX
        assert list(client.children(repository, digest)) == [one.made.image.manifest.digest for one in images]
        assert list(client.children(repository, images[0].made.image.manifest.digest)) == []

    def test_tags_are_listed_sorted(self, client: Registry, repository: str) -> None:
        """All of them, however they were made."""
        client.send_images([outgoing(repository, f"{n}", tag=f"t{n}") for n in (3, 1, 2)], nothing_done)

        assert list(client.tags(repository)) == ["t1", "t2", "t3"]

    def test_a_deleted_manifest_is_gone_and_its_tag_too(self, client: Registry, repository: str) -> None:
        """Deleting says whether there was something to delete; others stay."""
        gone, stays = outgoing(repository, "gone", tag="gone"), outgoing(repository, "stays", tag="stays")
        client.send_images([gone, stays], nothing_done)
        digest = gone.made.image.manifest.digest

        assert client.delete_manifest(repository, digest)
        assert not client.delete_manifest(repository, digest)
        assert not client.has_manifest(repository, digest)
        assert list(client.tags(repository)) == ["stays"]
        assert client.resolve(f"{repository}:stays") is not None

    def test_an_index_is_deleted_with_all_it_names(self, client: Registry, repository: str) -> None:
        """Again is no harm; an image that it does not name stays."""
        images = [outgoing(repository, text) for text in "abc"]
        other = outgoing(repository, "other", tag="other")
        client.send_images([*images, other], nothing_done)
        media_type, data = index([one.made.image for one in images])
        digest = client.send_manifest(repository, media_type, data, tag="run-1")

        assert [list(client.delete_index(repository, digest)) for _ in range(2)] == [[], []]
        assert not any(client.has_manifest(repository, one.made.image.manifest.digest) for one in images)
        assert not client.has_manifest(repository, digest)
        assert list(client.tags(repository)) == ["other"]

    def test_many_images_are_sent_and_told(self, client: Registry, repository: str) -> None:
        """Each is told once; sending them again sends no byte of a blob."""
        images = [outgoing(repository, f"image {n}") for n in range(20)]
        told: list[OutgoingImage] = []

        first = client.send_images(images, told.append)
        again = client.send_images(images, told.append)

        layers = [layer for one in images for layer in one.made.image.layers]
        assert first == sum(layer.blob.size for layer in layers) + sum(len(one.made.config) for one in images)
        assert again == 0
        assert sorted(id(one) for one in told) == sorted(id(one) for one in images * 2)
        assert all(client.resolve(one.made.image.reference) for one in images)

    def test_the_first_error_stops_the_rest(self, client: Registry, repository: str) -> None:
        """An image that cannot be sent is raised, not swallowed; the registry goes on working for others."""

        def broken() -> BinaryIO:
            raise EngineError("no content")

        good = outgoing(repository, "good")
        bad = outgoing(repository, "bad")
        bad = OutgoingImage(made=bad.made, contents=dict.fromkeys(bad.contents, broken))

        with pytest.raises(EngineError, match="no content"):
            client.send_images([bad] * 5, nothing_done)

        assert client.send_images([good], nothing_done) > 0
