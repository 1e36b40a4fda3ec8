"""Manifests, indexes and tags of a registry. Every digest and size that is read is checked.

API: https://github.com/opencontainers/distribution-spec/blob/main/spec.md.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from attrs import frozen

from pipeline.adapters.registry_addresses import split_repository
from pipeline.adapters.registry_transport import Request, Transport
from pipeline.errors import EngineError
from pipeline.logic.manifest_reading import INDEXES, LARGEST, MANIFESTS, media_type_of
from pipeline.model.images import Descriptor
from pipeline.model.references import is_digest

if TYPE_CHECKING:
    from requests import Response

ACCEPT: Final = ", ".join(sorted(INDEXES | MANIFESTS))
MOST_PAGES: Final = 1000
_NEXT: Final = re.compile(r"<([^>]*)>\s*;\s*rel=\"?next\"?")


@frozen(kw_only=True)
class FoundManifest:
    """A manifest or index as it was read."""

    descriptor: Descriptor
    data: bytes


def read_manifest(transport: Transport, repository: str, target: str) -> FoundManifest | None:
    """The manifest of a tag or digest; None when there is none. Raises `EngineError`, also for a lying registry."""
    request = _request(repository, "GET", target, "reading", "pull", {200, 404})
    response = transport.send(request)
    data = limited(response, LARGEST, f"manifest {target!r} of {repository!r}")
    if response.status_code == 404:
        return None
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    promised = target if is_digest(target) else response.headers.get("Docker-Content-Digest", digest)
    if promised.startswith("sha256:") and promised != digest:
        raise EngineError(
            f"registry gave other bytes than manifest {promised!r} of {repository!r}",
            hint="what answers there is damaged or no registry; push the image again",
        )
    media_type = media_type_of(data, response.headers.get("Content-Type", ""))
    return FoundManifest(descriptor=Descriptor(media_type=media_type, digest=digest, size=len(data)), data=data)


def has_manifest(transport: Transport, repository: str, target: str) -> bool:
    """Whether it is there."""
    return transport.exchange(_request(repository, "HEAD", target, "looking for", "pull", {200, 404})).status == 200


def put_manifest(transport: Transport, repository: str, media_type: str, data: bytes, tag: str) -> str:
    """Put it under a tag or its digest; the digest. A lost answer is no harm: the same is put again."""
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    request = _request(repository, "PUT", tag or digest, "writing", "pull,push", {200, 201, 202}, media_type, data)
    stored = transport.exchange(request).headers.get("Docker-Content-Digest", digest)
    if stored != digest:
        raise EngineError(f"registry stored manifest {digest!r} of {repository!r} as {stored[:80]!r}")
    return digest


def delete_manifest(transport: Transport, repository: str, digest: str) -> bool:
    """Delete it; False: not allowed there, or not there."""
    request = _request(repository, "DELETE", digest, "deleting", "pull,push,delete", {200, 202, 404, 405})
    return transport.exchange(request).status in (200, 202)


def list_tags(transport: Transport, repository: str) -> Sequence[str]:
    """All tags, sorted; none for a repository that is not known."""
    host, path = split_repository(repository)
    address, tags = f"/v2/{path}/tags/list?n=1000", set[str]()
    for _ in range(MOST_PAGES):
        request = Request(
            host=host,
            method="GET",
            path=address,
            scope=f"repository:{path}:pull",
            doing=f"listing tags of {repository!r}",
            expected=frozenset({200, 404}),
        )
        response = transport.send(request)
        data = limited(response, LARGEST, f"tags of {repository!r}")
        if response.status_code == 404:
            break
        tags.update(_tags_in(data, repository))
        following = _NEXT.search(response.headers.get("Link", ""))
        if not following:
            break
        address = following.group(1)
    return sorted(tags)


def limited(response: Response, most: int, what: str) -> bytes:
    """The body, if it is no longer than `most` bytes. Raises `EngineError`."""
    from requests.exceptions import RequestException

    data = bytearray()
    try:
        for piece in response.iter_content(1 << 16):
            data += piece
            if len(data) > most:
                raise EngineError(f"{what} is longer than {most} bytes, and is not read")
    except (RequestException, OSError) as error:
        raise EngineError(f"{what} broke off while it was read", hint="try again") from error
    finally:
        response.close()
    return bytes(data)


def _tags_in(data: bytes, repository: str) -> list[str]:
    try:
        tags = json.loads(data)["tags"] or []
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise EngineError(f"registry answered no list of tags for {repository!r}") from error
    return [tag for tag in tags if isinstance(tag, str)]


def _request(
    repository: str,
    method: str,
    target: str,
    doing: str,
    rights: str,
    expected: set[int],
    media_type: str = "",
    data: bytes | None = None,
) -> Request:
    host, path = split_repository(repository)
    return Request(
        host=host,
        method=method,
        path=f"/v2/{path}/manifests/{target}",
        scope=f"repository:{path}:{rights}",
        doing=f"{doing} manifest {target!r} of {repository!r}",
        headers={"Content-Type": media_type} if media_type else {"Accept": ACCEPT},
        body=data,
        expected=frozenset(expected),
    )
