"""Images as values: descriptors, layers, an image resolved to one platform, and the images of one run.

Words of the OCI image and distribution specifications, https://github.com/opencontainers. No I/O, no archives.
"""

from __future__ import annotations

from typing import Any, Final

from attrs import field, frozen

DOCKER_MANIFEST: Final = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_INDEX: Final = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_CONFIG: Final = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER: Final = "application/vnd.docker.image.rootfs.diff.tar.gzip"
OCI_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX: Final = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG: Final = "application/vnd.oci.image.config.v1+json"
OCI_LAYER: Final = "application/vnd.oci.image.layer.v1.tar+gzip"


@frozen(kw_only=True)
class Descriptor:
    """A blob or manifest by content: `digest` is `sha256:` and 64 hexadecimal digits, `size` in bytes."""

    media_type: str
    digest: str
    size: int


@frozen(kw_only=True)
class Layer:
    """A layer as it is stored: the descriptor of the (compressed) blob and the digest of the tar archive in it."""

    blob: Descriptor
    diff_id: str
    created_by: str = ""
    """What made it, for `docker history`."""


@frozen(kw_only=True)
class Image:
    """An image in a registry, resolved to one platform."""

    repository: str
    """`host:port/name`, without tag."""
    manifest: Descriptor
    config_blob: Descriptor
    config: dict[str, Any] = field(hash=False)
    """The config as parsed JSON: `config`, `rootfs`, `history`, `architecture`, …"""
    layers: tuple[Layer, ...]

    @property
    def reference(self) -> str:
        """The name by digest, as Docker and Kubernetes take it."""
        return f"{self.repository}@{self.manifest.digest}"


@frozen(kw_only=True)
class MadeImage:
    """An image made here, which a registry may not have yet: `image` describes it, `config` and `manifest` are it."""

    image: Image
    config: bytes = field(repr=False)
    manifest: bytes = field(repr=False)


@frozen(kw_only=True)
class Places:
    """Where things are inside the images of a run."""

    project: str = "/project"
    """The project's root."""
    runtime: str = "/opt/doit-fleet"
    """Our runtime; its entry program is `<runtime>/worker`."""
    pythons: dict[str, str] = field(factory=dict)
    """Interpreter by suite."""


@frozen(kw_only=True)
class RunImages:
    """What `push` leaves: every worker's image by digest, and where things are in them."""

    mode: str
    """`per-worker` or `shared`."""
    by_slot: tuple[str, ...]
    """Reference by digest for each slot; in mode `shared` all are the same."""
    index: str = ""
    """Reference by digest of the index that names them all, for sweeping; empty when there is none."""
    places: Places = Places()
