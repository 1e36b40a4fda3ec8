"""New images from old ones: layers appended, the config changed, and an index that names many.

Equal inputs give equal bytes: sorted keys, no spaces, one fixed time. Formats as in `manifest_reading`. Pure.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from attrs import evolve

from pipeline.errors import UsageError
from pipeline.logic.manifest_reading import platform_of
from pipeline.model.images import (
    DOCKER_CONFIG,
    DOCKER_INDEX,
    DOCKER_LAYER,
    DOCKER_MANIFEST,
    OCI_CONFIG,
    OCI_INDEX,
    OCI_LAYER,
    OCI_MANIFEST,
    Descriptor,
    Image,
    Layer,
    MadeImage,
)

BUILD_TRACES = ("container", "container_config", "docker_version", "id", "parent", "moby.buildkit.buildinfo.v1")
"""Keys of a config that tell how its base was built, and nothing about the image."""


def append(
    base: Image,
    layers: Sequence[Layer],
    changes: Mapping[str, Any] | None = None,
    *,
    repository: str = "",
    epoch: int = 0,
) -> MadeImage:
    """The image of `base` with `layers` on top and its config changed, made at `epoch` seconds, for `repository`.

    `changes` are keys of the config's `config` (`User`, `Entrypoint`, `WorkingDir`, …): `Env` and `Labels` are
    mappings that override single names, everything else takes the place of what was there; None removes. A new
    `Entrypoint` without `Cmd` removes the old `Cmd`, as in a Dockerfile. Docker's or OCI's media types, as the base's.
    """
    is_oci = base.manifest.media_type == OCI_MANIFEST
    added = tuple(_with_type(layer, OCI_LAYER if is_oci else DOCKER_LAYER) for layer in layers)
    all_layers = (*base.layers, *added)
    parsed = _config(base.config, all_layers, len(added), changes or {}, _time(epoch))
    config = canonical(parsed)
    blob = descriptor(config, OCI_CONFIG if is_oci else DOCKER_CONFIG)
    media_type = OCI_MANIFEST if is_oci else DOCKER_MANIFEST
    manifest = canonical(
        {
            "schemaVersion": 2,
            "mediaType": media_type,
            "config": _as_json(blob),
            "layers": [_as_json(layer.blob) for layer in all_layers],
        }
    )
    image = Image(
        repository=repository or base.repository,
        manifest=descriptor(manifest, media_type),
        config_blob=blob,
        config=parsed,
        layers=all_layers,
    )
    return MadeImage(image=image, config=config, manifest=manifest)


def index(images: Sequence[Image]) -> tuple[str, bytes]:
    """(media type, bytes) of an index that names these images, each once, in order.

    Raises `UsageError` when there are none: an index of nothing keeps nothing.
    """
    if not images:
        raise UsageError("an index needs at least one image")
    is_oci = images[0].manifest.media_type == OCI_MANIFEST
    once = {image.manifest.digest: image for image in images}
    entries = [{**_as_json(image.manifest), "platform": _platform(image.config)} for image in once.values()]
    media_type = OCI_INDEX if is_oci else DOCKER_INDEX
    return media_type, canonical({"schemaVersion": 2, "mediaType": media_type, "manifests": entries})


def descriptor(data: bytes, media_type: str) -> Descriptor:
    """What describes these bytes."""
    return Descriptor(media_type=media_type, digest=f"sha256:{hashlib.sha256(data).hexdigest()}", size=len(data))


def canonical(value: Any) -> bytes:
    """JSON of the same bytes for the same value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii")


def _config(
    old: dict[str, Any], layers: Sequence[Layer], added: int, changes: Mapping[str, Any], created: str
) -> dict[str, Any]:
    kept = {key: value for key, value in old.items() if key not in BUILD_TRACES}
    history = [
        {"created": created, "created_by": layer.created_by or "doit-fleet"} for layer in layers[len(layers) - added :]
    ]
    return {
        **kept,
        "created": created,
        "config": _changed(old.get("config") or {}, changes),
        "history": [*(old.get("history") or []), *history],
        "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]},
    }


def _changed(old: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    new = dict(old)
    if "Entrypoint" in changes and "Cmd" not in changes:
        new.pop("Cmd", None)
    for key, value in changes.items():
        if value is None:
            new.pop(key, None)
        elif key == "Env":
            new[key] = _environment(old.get(key) or [], value)
        elif key == "Labels":
            new[key] = {**(old.get(key) or {}), **value}
        else:
            new[key] = value
    return new


def _environment(old: Sequence[str], changes: Mapping[str, str]) -> list[str]:
    """Names keep their places, new ones come last, sorted."""
    values = dict(line.partition("=")[::2] for line in old)
    values.update({name: changes[name] for name in sorted(changes)})
    return [f"{name}={value}" for name, value in values.items()]


def _with_type(layer: Layer, media_type: str) -> Layer:
    return evolve(layer, blob=evolve(layer.blob, media_type=media_type))


def _as_json(one: Descriptor) -> dict[str, Any]:
    return {"mediaType": one.media_type, "digest": one.digest, "size": one.size}


def _platform(config: dict[str, Any]) -> dict[str, str]:
    named = platform_of(config)
    found = {"os": named.os, "architecture": named.architecture}
    return {**found, "variant": str(config["variant"])} if config.get("variant") else found


def _time(epoch: int) -> str:
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
