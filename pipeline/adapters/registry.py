"""`ports.images.Registry` over HTTP: Docker's schema 2 and OCI, any registry that keeps the distribution API.

Joins the modules beside it; each of them does one thing. Safe to use from several threads.
"""

from __future__ import annotations

import platform as machine
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from pipeline.adapters import registry_blobs, registry_deleting, registry_manifests
from pipeline.adapters.registry_credentials import Credentials
from pipeline.adapters.registry_patience import Patience
from pipeline.adapters.registry_sending import content_of, send_all
from pipeline.adapters.registry_session import Session
from pipeline.adapters.registry_transport import Transport
from pipeline.adapters.registry_uploads import CHUNK
from pipeline.errors import EngineError, UsageError
from pipeline.logic.manifest_reading import (
    INDEXES,
    platform_of,
    read_children,
    read_image,
    read_index,
    read_manifest,
)
from pipeline.logic.platforms import Platform, choose, parse_platform, platform, suits
from pipeline.model.images import Descriptor, Image
from pipeline.model.references import parse_reference
from pipeline.ports.images import OpenContent, OutgoingImage

SMALL: Final = 64 << 10
"""Bytes of a blob that is sent without asking whether it is there."""


class HttpRegistry:
    """Registries by host. `close` when done."""

    def __init__(
        self,
        *,
        ca_file: str = "",
        insecure: bool = False,
        connections: int = 8,
        credentials: Mapping[str, Credentials] | None = None,
        tries: int = 6,
        first_wait_seconds: float = 0.25,
        timeouts: tuple[float, float] = (10.0, 60.0),
        chunk: int = CHUNK,
    ) -> None:
        """`ca_file`: certificates of own authorities; `insecure`: plain HTTP to other machines, too.

        `credentials` by host, for those where Docker's own are not to be used. `timeouts`: seconds to connect, and
        seconds without a byte. `chunk`: bytes above which a blob is sent in pieces.
        """
        self._stop = threading.Event()
        patience = Patience(tries=tries, first_seconds=first_wait_seconds, stop=self._stop)
        self._session = Session(connections=connections, ca_file=ca_file, timeouts=timeouts)
        self._transport = Transport(self._session, patience, insecure=insecure, credentials=credentials or {})
        self._connections = connections
        self._chunk = chunk

    @property
    def requests(self) -> int:
        """How many requests were sent."""
        return self._session.requests

    def close(self) -> None:
        """Close what connections are kept."""
        self._session.close()

    def resolve(self, reference: str, platform: str = "") -> Image | None:
        """The image of that name for that platform. Raises `UsageError` for a name or platform that cannot be."""
        name = parse_reference(reference)
        wanted = parse_platform(platform) if platform else _own_platform()
        found = registry_manifests.read_manifest(self._transport, name.repository, name.target)
        if found is not None and found.descriptor.media_type in INDEXES:
            chosen = choose(read_index(found.data), wanted, reference)
            found = registry_manifests.read_manifest(self._transport, name.repository, chosen.digest)
            if found is not None and found.descriptor.media_type in INDEXES:
                raise EngineError(f"index {reference!r} names another index")
        if found is None:
            return None
        manifest = read_manifest(found.data)
        config = registry_blobs.read_blob(self._transport, name.repository, manifest.config)
        image = read_image(name.repository, found.descriptor, manifest, config)
        _check_platform(image, wanted, reference)
        return image

    def has_manifest(self, repository: str, digest: str) -> bool:
        """Whether that manifest or index is there."""
        return registry_manifests.has_manifest(self._transport, repository, digest)

    def send_blob(self, repository: str, blob: Descriptor, content: OpenContent, *, origin: str = "") -> int:
        """Make sure it is there: looked for, mounted, sent."""
        if registry_blobs.has_blob(self._transport, repository, blob):
            return 0
        chunk = self._chunk
        return registry_blobs.send_blob(self._transport, repository, blob, content, origin=origin, chunk=chunk)

    def send_manifest(self, repository: str, media_type: str, data: bytes, *, tag: str = "") -> str:
        """Put it."""
        return registry_manifests.put_manifest(self._transport, repository, media_type, data, tag)

    def send_images(self, images: Sequence[OutgoingImage], done: Callable[[OutgoingImage], None]) -> int:
        """Many at once, over all connections."""
        news = threading.Event()
        try:
            send = partial(self._send_image, news)
            return send_all(images, send, done, connections=self._connections, stop=self._stop)
        finally:
            self._stop.clear()

    def fetch_blob(self, repository: str, blob: Descriptor, target: Path) -> None:
        """Bring it."""
        registry_blobs.fetch_blob(self._transport, repository, blob, target)

    def tags(self, repository: str) -> Sequence[str]:
        """All tags."""
        return registry_manifests.list_tags(self._transport, repository)

    def children(self, repository: str, digest: str) -> Sequence[str]:
        """What an index names."""
        found = registry_manifests.read_manifest(self._transport, repository, digest)
        return [] if found is None or found.descriptor.media_type not in INDEXES else read_children(found.data)

    def delete_manifest(self, repository: str, digest: str) -> bool:
        """Delete it, if the registry lets us."""
        return registry_manifests.delete_manifest(self._transport, repository, digest)

    def delete_index(self, repository: str, digest: str) -> Sequence[str]:
        """Delete it and all it names."""
        return registry_deleting.delete_index(self, repository, digest)

    def _send_image(self, news: threading.Event, outgoing: OutgoingImage) -> int:
        """`news` is set by the first image that is not there: those after it will not be there either.

        A push that was broken off is taken up where it ended, and a new one costs no needless question.
        """
        image, made = outgoing.made.image, outgoing.made
        if not news.is_set() and not outgoing.tag:
            if self.has_manifest(image.repository, image.manifest.digest):
                return 0
            news.set()
        sent = 0
        for layer in image.layers:
            if (content := outgoing.contents.get(layer.blob.digest)) is not None:
                sent += self._send_new(image.repository, layer.blob, content)
        sent += self._send_new(image.repository, image.config_blob, content_of(made.config))
        self.send_manifest(image.repository, image.manifest.media_type, made.manifest, tag=outgoing.tag)
        return sent

    def _send_new(self, repository: str, blob: Descriptor, content: OpenContent) -> int:
        """A blob of an image that is not there; sending a small one costs less than asking for it."""
        if blob.size > SMALL:
            return self.send_blob(repository, blob, content)
        return registry_blobs.send_blob(self._transport, repository, blob, content, chunk=self._chunk)


def _own_platform() -> Platform:
    return platform("linux", machine.machine())


def _check_platform(image: Image, wanted: Platform, reference: str) -> None:
    there = platform_of(image.config)
    if not suits(there, wanted):
        raise UsageError(
            f"image {reference!r} is made for {str(there)!r}, not for {str(wanted)!r}",
            hint="name an image for that platform, or set the platform",
        )
