"""`ports.images.Registry` in memory: for tests of what uses one. Keeps the contract suite, sends nothing anywhere."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from pipeline.adapters import registry_deleting
from pipeline.adapters.registry_sending import content_of
from pipeline.errors import EngineError
from pipeline.logic.manifest_reading import (
    INDEXES,
    media_type_of,
    platform_of,
    read_children,
    read_image,
    read_index,
    read_manifest,
)
from pipeline.logic.platforms import choose, parse_platform, suits
from pipeline.model.images import Descriptor, Image
from pipeline.model.references import is_digest, parse_reference
from pipeline.ports.images import OpenContent, OutgoingImage


class MemoryRegistry:
    """All registries of an imagined world; `calls` counts what was asked by method."""

    def __init__(self, *, can_delete: bool = True) -> None:
        self._blobs: dict[tuple[str, str], bytes] = {}
        self._manifests: dict[tuple[str, str], tuple[str, bytes]] = {}
        self._tags: dict[tuple[str, str], str] = {}
        self._can_delete = can_delete
        self.calls: Counter[str] = Counter()

    def resolve(self, reference: str, platform: str = "") -> Image | None:
        """The image, an index resolved."""
        self.calls["resolve"] += 1
        name, wanted = parse_reference(reference), parse_platform(platform or "linux/amd64")
        found = self._find(name.repository, name.target)
        if found and found[0] in INDEXES:
            found = self._find(name.repository, choose(read_index(found[1]), wanted, reference).digest)
        if found is None:
            return None
        media_type, data = found
        manifest = read_manifest(data)
        described = Descriptor(media_type=media_type, digest=_digest(data), size=len(data))
        config = self._blobs[name.repository, manifest.config.digest]
        image = read_image(name.repository, described, manifest, config)
        if not suits(platform_of(image.config), wanted):
            raise EngineError(f"image {reference!r} is made for another platform")
        return image

    def has_manifest(self, repository: str, digest: str) -> bool:
        """Whether it is there."""
        self.calls["has_manifest"] += 1
        return self._find(repository, digest) is not None

    def send_blob(self, repository: str, blob: Descriptor, content: OpenContent, *, origin: str = "") -> int:
        """Keep it."""
        self.calls["send_blob"] += 1
        if (repository, blob.digest) in self._blobs:
            return 0
        if origin and (origin, blob.digest) in self._blobs:
            self._blobs[repository, blob.digest] = self._blobs[origin, blob.digest]
            return 0
        with content() as file:
            data = file.read()
        if (len(data), _digest(data)) != (blob.size, blob.digest):
            raise EngineError(f"content of blob {blob.digest} is not what it should be")
        self._blobs[repository, blob.digest] = data
        return blob.size

    def send_manifest(self, repository: str, media_type: str, data: bytes, *, tag: str = "") -> str:
        """Keep it, if all it names is there."""
        self.calls["send_manifest"] += 1
        if media_type_of(data, media_type) in INDEXES:
            missing = [one for one in read_children(data) if (repository, one) not in self._manifests]
        else:
            manifest = read_manifest(data)
            named = [manifest.config, *manifest.layers]
            missing = [one.digest for one in named if (repository, one.digest) not in self._blobs]
        if missing:
            raise EngineError(f"manifest names what is not there: {missing}")
        self._manifests[repository, _digest(data)] = (media_type, data)
        if tag:
            self._tags[repository, tag] = _digest(data)
        return _digest(data)

    def send_images(self, images: Sequence[OutgoingImage], done: Callable[[OutgoingImage], None]) -> int:
        """One after the other."""
        sent = 0
        for one in images:
            image = one.made.image
            for layer in image.layers:
                if layer.blob.digest in one.contents:
                    sent += self.send_blob(image.repository, layer.blob, one.contents[layer.blob.digest])
            sent += self.send_blob(image.repository, image.config_blob, content_of(one.made.config))
            self.send_manifest(image.repository, image.manifest.media_type, one.made.manifest, tag=one.tag)
            done(one)
        return sent

    def fetch_blob(self, repository: str, blob: Descriptor, target: Path) -> None:
        """Write it."""
        self.calls["fetch_blob"] += 1
        data = self._blobs.get((repository, blob.digest))
        if data is None:
            raise EngineError(f"blob {blob.digest} of {repository!r} is not there")
        target.write_bytes(data)

    def tags(self, repository: str) -> Sequence[str]:
        """All tags."""
        self.calls["tags"] += 1
        return sorted(tag for name, tag in self._tags if name == repository)

    def children(self, repository: str, digest: str) -> Sequence[str]:
        """What an index names."""
        self.calls["children"] += 1
        found = self._find(repository, digest)
        return read_children(found[1]) if found and found[0] in INDEXES else []

    def delete_manifest(self, repository: str, digest: str) -> bool:
        """Forget it and its tags."""
        self.calls["delete_manifest"] += 1
        if not self._can_delete or self._manifests.pop((repository, digest), None) is None:
            return False
        for key in [key for key, target in self._tags.items() if key[0] == repository and target == digest]:
            del self._tags[key]
        return True

    def delete_index(self, repository: str, digest: str) -> Sequence[str]:
        """Forget all of it."""
        return registry_deleting.delete_index(self, repository, digest)

    def _find(self, repository: str, target: str) -> tuple[str, bytes] | None:
        digest = target if is_digest(target) else self._tags.get((repository, target), "")
        return self._manifests.get((repository, digest))


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
