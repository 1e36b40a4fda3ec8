"""Blobs of a registry: is it there, bring it, send it. Digest and size of all that is read are checked."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from pipeline.adapters.registry_addresses import split_repository
from pipeline.adapters.registry_errors import RegistryUnavailable
from pipeline.adapters.registry_transport import Request, Transport
from pipeline.adapters.registry_uploads import CHUNK, PieceByPiece, Upload, UploadForgotten, open_upload, send_whole
from pipeline.errors import EngineError
from pipeline.model.images import Descriptor
from pipeline.ports.images import OpenContent

if TYPE_CHECKING:
    from requests import Response

STEP: Final = 1 << 18


def has_blob(transport: Transport, repository: str, blob: Descriptor) -> bool:
    """Whether it is there."""
    return transport.exchange(_request(repository, "HEAD", blob, "looking for", {200, 404})).status == 200


def send_blob(
    transport: Transport,
    repository: str,
    blob: Descriptor,
    content: OpenContent,
    *,
    origin: str = "",
    chunk: int = CHUNK,
) -> int:
    """Let the registry take it from its repository `origin`, else send it; bytes sent. Raises `EngineError`."""
    sent, tries = 0, transport.patience.tries
    for tried in range(1, tries + 1):
        upload = _opened(transport, repository, blob, origin if tried == 1 else "")
        if upload is None:
            return sent
        with content() as file:
            pieces = PieceByPiece(transport, upload, blob, file, chunk)
            try:
                if blob.size <= chunk:
                    return sent + send_whole(transport, upload, blob, file)
                return sent + pieces.run()
            except UploadForgotten as forgotten:
                sent, why = sent + pieces.sent, forgotten.__cause__
        asked = why.retry_after if isinstance(why, RegistryUnavailable) else None
        if tried == tries and why is not None:
            raise why
        transport.patience.wait(tried, asked)
        if has_blob(transport, repository, blob):
            return sent  # The answer to the last request was lost, not the blob.
    raise RegistryUnavailable(f"registry forgot {tries} uploads of blob {blob.digest} to {repository!r}")


def _opened(transport: Transport, repository: str, blob: Descriptor, origin: str) -> Upload | None:
    if origin and origin != repository and split_repository(origin)[0] == split_repository(repository)[0]:
        try:
            return open_upload(transport, repository, blob, origin=origin)
        except EngineError:
            pass  # A registry that cannot mount has many ways to say so; a plain upload will tell what is wrong.
    return open_upload(transport, repository, blob)


def fetch_blob(transport: Transport, repository: str, blob: Descriptor, target: Path) -> None:
    """Bring it into a file that appears whole or not at all; after a cut it goes on. Raises `EngineError`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, scratch = tempfile.mkstemp(prefix=".new-", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            digest = _fetched(transport, repository, blob, file)
        if f"sha256:{digest}" != blob.digest:
            raise _lie(repository, blob)
        os.chmod(scratch, 0o644)
        os.replace(scratch, target)
    finally:
        if os.path.exists(scratch):
            os.unlink(scratch)


def read_blob(transport: Transport, repository: str, blob: Descriptor) -> bytes:
    """A small blob, checked. Raises `EngineError`."""
    from io import BytesIO

    target = BytesIO()
    if f"sha256:{_fetched(transport, repository, blob, target)}" != blob.digest:
        raise _lie(repository, blob)
    return target.getvalue()


def _fetched(transport: Transport, repository: str, blob: Descriptor, file: BinaryIO) -> str:
    """Read all of it; the digest of what came."""
    digest, at = hashlib.sha256(), 0
    for tried in range(1, transport.patience.tries + 1):
        headers = {"Range": f"bytes={at}-"} if at else {}
        response = transport.send(_request(repository, "GET", blob, "reading", {200, 206}, headers))
        if at and response.status_code == 200:
            digest, at = hashlib.sha256(), 0
            file.seek(0)
            file.truncate()
        at += _copied(response, digest, file, blob.size - at)
        if at == blob.size:
            return digest.hexdigest()
        if at > blob.size:
            raise _lie(repository, blob)
        transport.patience.wait(tried)
    raise RegistryUnavailable(f"reading blob {blob.digest} of {repository!r} was cut off again and again")


def _copied(response: Response, digest: Any, file: BinaryIO, most: int) -> int:
    """Bytes that came before the end, or a cut; one more than `most` when there were more."""
    from requests.exceptions import RequestException

    count = 0
    try:
        for piece in response.iter_content(STEP):
            if count + len(piece) > most:
                return most + 1
            count += len(piece)
            digest.update(piece)
            file.write(piece)
    except RequestException:
        pass  # What came before the cut counts.
    finally:
        response.close()
    return count


def _lie(repository: str, blob: Descriptor) -> EngineError:
    return EngineError(
        f"registry gave other bytes than blob {blob.digest} of {repository!r}",
        hint="what answers there is damaged or no registry; push the image again",
    )


def _request(
    repository: str,
    method: str,
    blob: Descriptor,
    doing: str,
    expected: set[int],
    headers: dict[str, str] | None = None,
) -> Request:
    host, path = split_repository(repository)
    return Request(
        host=host,
        method=method,
        path=f"/v2/{path}/blobs/{blob.digest}",
        scope=f"repository:{path}:pull",
        doing=f"{doing} blob {blob.digest} of {repository!r}",
        headers=headers or {},
        expected=frozenset(expected),
    )
