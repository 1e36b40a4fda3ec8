"""Manifests, indexes and configs from bytes that nobody vouches for.

Formats: https://github.com/opencontainers/image-spec (manifest, image-index, config) and Docker's schema 2,
https://distribution.github.io/distribution/spec/manifest-v2-2/. Pure: digests are checked by who brings the bytes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from attrs import frozen

from pipeline.errors import EngineError, UsageError
from pipeline.logic.platforms import Platform, platform
from pipeline.model.images import (
    DOCKER_INDEX,
    DOCKER_MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
    Descriptor,
    Image,
    Layer,
)
from pipeline.model.references import is_digest

LARGEST: Final = 4 << 20
"""Bytes of a manifest, index or config; registries need not take more than 4 MiB."""
MOST_ENTRIES: Final = 10_000
INDEXES: Final = frozenset({DOCKER_INDEX, OCI_INDEX})
MANIFESTS: Final = frozenset({DOCKER_MANIFEST, OCI_MANIFEST})
LARGEST_BLOB: Final = 1 << 40


@frozen(kw_only=True)
class Manifest:
    """What a manifest names."""

    config: Descriptor
    layers: tuple[Descriptor, ...]


def media_type_of(data: bytes, declared: str) -> str:
    """The media type the bytes claim, else the declared one. Raises `EngineError` when neither is one we read."""
    claimed = _parsed(data).get("mediaType")
    found = claimed if isinstance(claimed, str) and claimed else declared.partition(";")[0].strip()
    if found not in INDEXES | MANIFESTS:
        raise EngineError(
            f"image manifest of type {found!r} cannot be read",
            hint="push the image again in Docker's schema 2 or OCI's format",
        )
    return found


def read_index(data: bytes) -> Sequence[tuple[Platform, Descriptor]]:
    """Manifests of an index by platform; attestations and entries that name no platform are left out."""
    found = []
    for entry in _list(_parsed(data), "manifests"):
        named = _object(entry).get("platform")
        if not isinstance(named, dict) or _descriptor(entry).media_type not in MANIFESTS:
            continue
        os, architecture, variant = (named.get(key) or "" for key in ("os", "architecture", "variant"))
        if not all(isinstance(text, str) for text in (os, architecture, variant)) or "unknown" in (os, architecture):
            continue
        try:
            found.append((platform(os, architecture, variant), _descriptor(entry)))
        except UsageError:
            continue  # A variant that we do not know suits nobody.
    return found


def read_children(data: bytes) -> Sequence[str]:
    """Digests of everything an index names, each once, in order."""
    return list(dict.fromkeys(_descriptor(entry).digest for entry in _list(_parsed(data), "manifests")))


def read_manifest(data: bytes) -> Manifest:
    """Config and layers of a manifest."""
    parsed = _parsed(data)
    layers = tuple(_descriptor(entry) for entry in _list(parsed, "layers"))
    return Manifest(config=_descriptor(parsed.get("config")), layers=layers)


def read_image(repository: str, descriptor: Descriptor, manifest: Manifest, config: bytes) -> Image:
    """The image of a manifest and its config, which must agree on how many layers there are."""
    parsed = _parsed(config)
    rootfs = parsed.get("rootfs")
    diff_ids = _list(_object(rootfs), "diff_ids")
    if len(diff_ids) != len(manifest.layers) or not all(isinstance(one, str) and is_digest(one) for one in diff_ids):
        raise _damaged("config and manifest name different layers")
    _check_config(parsed)
    layers = (Layer(blob=blob, diff_id=one) for blob, one in zip(manifest.layers, diff_ids, strict=True))
    return Image(
        repository=repository, manifest=descriptor, config_blob=manifest.config, config=parsed, layers=tuple(layers)
    )


def platform_of(config: dict[str, Any]) -> Platform:
    """The platform a config names. Raises `EngineError`."""
    named = [config.get(key) or "" for key in ("os", "architecture", "variant")]
    if not all(isinstance(text, str) for text in named) or not all(named[:2]):
        raise _damaged("the config names no platform")
    try:
        return platform(*named)
    except UsageError as error:
        raise _damaged(error.message) from error


def _check_config(parsed: dict[str, Any]) -> None:
    """What is built upon has the form it should have; everything else is passed on as it is."""
    settings = _object(parsed.get("config") or {})
    names = settings.get("Env") or []
    good = (
        isinstance(parsed.get("history") or [], list)
        and isinstance(settings.get("Labels") or {}, dict)
        and isinstance(names, list)
        and all(isinstance(name, str) for name in names)
    )
    if not good:
        raise _damaged("history, variables or labels of the config have the wrong form")


def _parsed(data: bytes) -> dict[str, Any]:
    if len(data) > LARGEST:
        raise _damaged(f"{len(data)} bytes are more than the {LARGEST} that are read")
    try:
        parsed = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _damaged("it is no JSON") from error
    return _object(parsed)


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _damaged("an object is missing")
    return value


def _list(parsed: dict[str, Any], key: str) -> list[Any]:
    value = parsed.get(key)
    value = [] if value is None else value
    if not isinstance(value, list) or len(value) > MOST_ENTRIES:
        raise _damaged(f"{key!r} is no list of at most {MOST_ENTRIES}")
    return value


def _descriptor(value: Any) -> Descriptor:
    entry = _object(value)
    media_type, digest, size = entry.get("mediaType"), entry.get("digest"), entry.get("size")
    if not isinstance(media_type, str) or not isinstance(digest, str) or not is_digest(digest):
        raise _damaged("a descriptor has no media type or no sha256 digest")
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= LARGEST_BLOB:
        raise _damaged("a descriptor has no size")
    return Descriptor(media_type=media_type, digest=digest, size=size)


def _damaged(why: str) -> EngineError:
    return EngineError(f"image manifest, index or config cannot be read: {why}", hint="push that image again")
