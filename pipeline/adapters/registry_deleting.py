"""Delete an index and all it names. Knows any `ports.images.Registry`."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.errors import EngineError
from pipeline.ports.images import Registry


def delete_index(registry: Registry, repository: str, digest: str) -> Sequence[str]:
    """Delete it and its children; digests that are still there. Raises `EngineError` when the index is refused.

    Children go first, so that a deletion that was broken off can be taken up: the index still names the rest. Some
    registries keep what an index names; those children go after it.
    """
    kept = [child for child in registry.children(repository, digest) if not _tried(registry, repository, child)]
    left = [] if _is_gone(registry, repository, digest) else [digest]
    return [*(child for child in kept if not _is_gone(registry, repository, child)), *left]


def _tried(registry: Registry, repository: str, digest: str) -> bool:
    try:
        return _is_gone(registry, repository, digest)
    except EngineError as error:
        if not error.permanent:
            raise
        return False


def _is_gone(registry: Registry, repository: str, digest: str) -> bool:
    return registry.delete_manifest(repository, digest) or not registry.has_manifest(repository, digest)
