"""What may be asked of a registry and of an image builder. All calls block; adapters are safe to call from several threads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, Protocol

from attrs import field, frozen

from pipeline.model.images import Descriptor, Image, MadeImage

OpenContent = Callable[[], BinaryIO]
"""Opens the bytes of a blob from the first; called again for each new try."""


@frozen(kw_only=True)
class OutgoingImage:
    """An image to be sent with its own layers; layers whose content is not given are known to be there."""

    made: MadeImage
    contents: Mapping[str, OpenContent] = field(factory=dict)
    """Content of layers by the digest of their blob."""
    tag: str = ""


class Registry(Protocol):
    """Registries of images, addressed by repository (`host:port/name`). Errors: `EngineError` with the way out."""

    def resolve(self, reference: str, platform: str = "") -> Image | None:
        """The image behind a name with tag or digest, an index resolved to `platform` (`linux/amd64`; empty: this
        machine's); None when there is none. Digests of all that is read are checked."""

    def has_manifest(self, repository: str, digest: str) -> bool:
        """Whether that manifest or index is there."""

    def send_blob(self, repository: str, blob: Descriptor, content: OpenContent, *, origin: str = "") -> int:
        """Make sure the blob is there; bytes sent (0: it was there or was mounted from the repository `origin`)."""

    def send_manifest(self, repository: str, media_type: str, data: bytes, *, tag: str = "") -> str:
        """Put a manifest or index, by its digest or under a tag; its digest."""

    def send_images(self, images: Sequence[OutgoingImage], done: Callable[[OutgoingImage], None]) -> int:
        """Send many at once: layers, config, then manifest of each; bytes of blobs sent.

        `done` is called in the caller's thread, in order of completion. What is there already is not sent again. The
        first error, or Ctrl-C, stops the rest and is raised when nothing runs any more.
        """

    def fetch_blob(self, repository: str, blob: Descriptor, target: Path) -> None:
        """Bring a blob into a file, checked by digest and size."""

    def tags(self, repository: str) -> Sequence[str]:
        """All tags, sorted; empty when the repository is not known."""

    def children(self, repository: str, digest: str) -> Sequence[str]:
        """Digests of the manifests that an index names; empty for a manifest, and when there is none."""

    def delete_manifest(self, repository: str, digest: str) -> bool:
        """Delete by digest; False: the registry does not allow it, or it was gone."""

    def delete_index(self, repository: str, digest: str) -> Sequence[str]:
        """Delete an index and all it names; digests that are still there, because the registry deletes nothing."""


class ImageBuilder(Protocol):
    """A daemon that builds images from Dockerfiles."""

    def build(
        self,
        *,
        dockerfile: str,
        context: Mapping[str, bytes | Path],
        arguments: Mapping[str, str],
        platform: str = "",
        target: str = "",
        labels: Mapping[str, str],
        progress: Callable[[str], None],
    ) -> str:
        """Build; the image's id. `dockerfile` is its text, `context` its files by name.

        Raises `EngineError` with the failing line and the end of the output.
        """

    def push(self, image: str, repository: str, tag: str, progress: Callable[[str], None]) -> str:
        """Push that image under a tag; the manifest's digest."""

    def has(self, reference: str) -> bool:
        """Whether the daemon has that image."""
