"""An upload of a blob: in one request when it is small, in pieces that go on after a cut when it is large.

API: https://github.com/opencontainers/distribution-spec/blob/main/spec.md#push. A `Location` is followed as given.
"""

from __future__ import annotations

import re
from typing import Any, BinaryIO, Final
from urllib.parse import quote

from attrs import evolve, frozen

from pipeline.adapters.registry_addresses import followed, split_repository
from pipeline.adapters.registry_errors import RegistryUnavailable
from pipeline.adapters.registry_transport import Answer, Request, Transport
from pipeline.errors import EngineError
from pipeline.model.images import Descriptor

CHUNK: Final = 8 << 20
"""Bytes in one piece; what is no larger goes in one request."""
MOST_CUTS: Final = 6
"""How often in a row a piece may fail without getting on."""
FORGOTTEN: Final = frozenset({404, 410})
OCTETS: Final = {"Content-Type": "application/octet-stream"}
NOTHING: Final = {"Content-Length": "0"}
_RANGE: Final = re.compile(r"(?:bytes=)?0-(\d{1,15})")


class UploadForgotten(Exception):
    """This upload leads nowhere any more: the registry was restarted, has cleaned up, or the blob is complete."""


@frozen(kw_only=True)
class Upload:
    """An upload that the registry has opened."""

    common: Request
    """What all its requests have in common."""
    location: str

    def moved(self, answer: Answer) -> Upload:
        """Where it goes on. Raises `EngineError` for a place that a registry may not send us to."""
        location = answer.headers.get("Location", "")
        return evolve(self, location=followed(answer.address, location)) if location else self

    def request(self, method: str, expected: set[int], **more: Any) -> Request:
        """Its next request; a forgotten upload is an expected answer."""
        return evolve(self.common, method=method, path=self.location, expected=frozenset(expected) | FORGOTTEN, **more)

    def last(self, blob: Descriptor, **more: Any) -> Request:
        """The request that completes it."""
        sign = "&" if "?" in self.location else "?"
        upload = evolve(self, location=f"{self.location}{sign}digest={quote(blob.digest)}")
        return upload.request("PUT", {200, 201, 204}, **more)


def open_upload(transport: Transport, repository: str, blob: Descriptor, *, origin: str = "") -> Upload | None:
    """Ask for an upload; None: the registry has taken the blob from the repository `origin` of the same host.

    A refused mount is an `EngineError` at once: mounting is worth one try.
    """
    host, path = split_repository(repository)
    scope, query = f"repository:{path}:pull,push", ""
    if origin:
        source = split_repository(origin)[1]
        scope = f"{scope} repository:{source}:pull"
        query = f"?mount={quote(blob.digest)}&from={quote(source, safe='')}"
    request = Request(
        host=host,
        method="POST",
        path=f"/v2/{path}/blobs/uploads/{query}",
        scope=scope,
        doing=f"sending blob {blob.digest} to {repository!r}",
        headers=NOTHING,
        expected=frozenset({201, 202}),
        tries=1 if origin else 0,
    )
    answer = transport.exchange(request)
    if answer.status == 201:
        return None
    if not answer.headers.get("Location"):
        raise EngineError(f"registry {host!r} opened an upload and did not say where")
    return Upload(common=evolve(request, headers={}, tries=0), location="").moved(answer)


def send_whole(transport: Transport, upload: Upload, blob: Descriptor, file: BinaryIO) -> int:
    """Send it in one request; bytes sent. Raises `UploadForgotten`, `EngineError`."""
    data = file.read(blob.size + 1)
    if len(data) != blob.size:
        raise _wrong_size(blob)
    try:
        answer = transport.exchange(upload.last(blob, headers=OCTETS, body=data, tries=1))
    except RegistryUnavailable as error:
        raise UploadForgotten from error  # Part of it may have been taken: it is not sent to the same place again.
    if answer.status in FORGOTTEN:
        raise UploadForgotten
    return blob.size


class PieceByPiece:
    """Sends a blob in pieces; after a cut the registry is asked how far it got."""

    def __init__(self, transport: Transport, upload: Upload, blob: Descriptor, file: BinaryIO, chunk: int) -> None:
        self._transport, self._upload, self._blob, self._file = transport, upload, blob, file
        self._chunk = chunk
        self._at = self._cuts = 0
        self.sent = 0
        """Bytes that were sent, those that had to be sent again among them."""

    def run(self) -> int:
        """Send everything; bytes sent. Raises `UploadForgotten`, `EngineError`."""
        while self._at < self._blob.size:
            self._send_piece()
        self._exchange(self._upload.last(self._blob, headers=NOTHING))
        return self.sent

    def _send_piece(self) -> None:
        self._file.seek(self._at)
        data = self._file.read(min(self._chunk, self._blob.size - self._at))
        if not data:
            raise _wrong_size(self._blob)
        end = self._at + len(data)
        headers = {**OCTETS, "Content-Range": f"{self._at}-{end - 1}"}
        request = self._upload.request("PATCH", {202, 204, 416}, headers=headers, body=data, tries=1)
        self.sent += len(data)
        try:
            answer = self._exchange(request)
        except RegistryUnavailable:
            self._after_a_cut()
            return
        if answer.status == 416:
            self._after_a_cut()
            return
        self._at, self._cuts = end, 0

    def _after_a_cut(self) -> None:
        self._cuts += 1
        if self._cuts >= MOST_CUTS:
            raise RegistryUnavailable(
                f"{self._upload.common.doing} was cut off {MOST_CUTS} times", hint="try again later"
            )
        self._transport.patience.wait(self._cuts)
        answer = self._exchange(self._upload.request("GET", {204, 200}))
        found = _RANGE.fullmatch(answer.headers.get("Range", "").strip())
        reached = int(found.group(1)) + 1 if found and found.group(1) != "0" else 0
        if reached > self._blob.size:
            raise EngineError(f"{self._upload.common.doing} failed: the registry has more than was sent")
        self._cuts = 0 if reached > self._at else self._cuts
        self._at = reached

    def _exchange(self, request: Request) -> Answer:
        answer = self._transport.exchange(request)
        if answer.status in FORGOTTEN:
            raise UploadForgotten
        self._upload = self._upload.moved(answer)
        return answer


def _wrong_size(blob: Descriptor) -> EngineError:
    return EngineError(
        f"content of blob {blob.digest} has not the {blob.size} bytes it should have", hint="start again"
    )
