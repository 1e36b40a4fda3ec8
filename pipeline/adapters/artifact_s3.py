"""`ports.artifacts.RemoteTier` in a bucket: written once by conditional requests, checked by the server as it arrives.

It must not know what the values are. What a bucket answers is not believed: readers check digests themselves.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, BinaryIO, Final

from pipeline.adapters.s3_client import client_at, code_of, parse_place, s3_in_use, status_of
from pipeline.errors import FleetError
from pipeline.ports.artifacts import RemoteTrouble

PIECE: Final = 2**18
READ_SECONDS: Final = 10.0
ATTEMPTS: Final = 3
ABSENT: Final = frozenset({"NoSuchKey", "404", "NotFound"})
TAKEN: Final = frozenset({"PreconditionFailed", "412"})
CONFLICT: Final = "ConditionalRequestConflict"
"""Another party is writing the same name at this moment."""


class _Enough(Exception):
    """No more is wanted of a value."""


class S3Tier:
    """Values below an address `s3://bucket/prefix?endpoint=…`. Raises `UsageError` for a wrong address."""

    def __init__(self, url: str, environment: Mapping[str, str] | None = None) -> None:
        self._place = parse_place(url) if environment is None else parse_place(url, environment)

    def get(self, name: str, limit: int) -> bytes | None:
        """A value, or its first `limit` + 1 bytes."""
        data = bytearray()

        def take(piece: bytes) -> None:
            data.extend(piece)
            if len(data) > limit:
                raise _Enough

        try:
            return bytes(data) if self.fetch(name, take) else None
        except _Enough:
            return bytes(data[: limit + 1])

    def fetch(self, name: str, write: Callable[[bytes], object]) -> bool:
        """Hand the value's bytes to `write`; False when there is none."""
        with self._asked(f"reading {name!r}"):
            answer = self._answer(lambda: self._client().get_object(**self._named(name)), ABSENT)
            if answer is None:
                return False
            body = answer["Body"]
            try:
                for piece in body.iter_chunks(PIECE):
                    write(piece)
            finally:
                body.close()
        return True

    def put(self, name: str, content: Callable[[], BinaryIO], size: int, sha256: str) -> bool:
        """Put if absent; the server compares the digest before it lets the value be seen."""
        checksum = base64.b64encode(bytes.fromhex(sha256)).decode("ascii")
        with self._asked(f"writing {name!r}"), content() as file:
            answer = self._answer(
                lambda: self._client().put_object(
                    **self._named(name), Body=file, ContentLength=size, IfNoneMatch="*", ChecksumSHA256=checksum
                ),
                TAKEN | {CONFLICT},
            )
        return answer is not None

    def delete(self, name: str) -> None:
        """Make it absent."""
        with self._asked(f"deleting {name!r}"):
            self._client().delete_object(**self._named(name))

    def list(self, prefix: str) -> Iterator[tuple[str, int]]:
        """Names and sizes below a prefix, sorted."""
        with self._asked(f"listing {prefix!r}"):
            pages = self._client().get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self._place.bucket, Prefix=self._place.prefix + prefix):
                for entry in page.get("Contents", ()):
                    yield str(entry["Key"]).removeprefix(self._place.prefix), int(entry["Size"])

    def _named(self, name: str) -> dict[str, str]:
        return {"Bucket": self._place.bucket, "Key": self._place.prefix + name}

    def _client(self) -> Any:
        return client_at(self._place, read_seconds=READ_SECONDS, attempts=ATTEMPTS)

    def _answer(self, ask: Callable[[], Any], expected: frozenset[str]) -> Any | None:
        from botocore.exceptions import ClientError

        try:
            return ask()
        except ClientError as error:
            if code_of(error) in expected or (status_of(error) == 412 and "412" in expected):
                return None
            raise

    @contextmanager
    def _asked(self, what: str) -> Iterator[None]:
        """What the client raises becomes `RemoteTrouble`, among it what urllib3 lets through as a body is read."""
        from urllib3.exceptions import HTTPError

        try:
            with s3_in_use(what, self._place):
                yield
        except RemoteTrouble:
            raise
        except FleetError as error:
            raise _trouble(error.message, permanent=error.permanent) from error
        except HTTPError as error:
            raise _trouble(f"{what}: {self._place.name} broke off ({type(error).__name__})", permanent=False) from error


def _trouble(message: str, *, permanent: bool) -> RemoteTrouble:
    trouble = RemoteTrouble(message)
    trouble.permanent = permanent
    return trouble
