"""The few requests that stores and caches make of S3, each in the caller's thread, each with a definite meaning.

It must not know what the keys and values mean. Every function may raise `StoreUnavailable` (a write's outcome is then
unknown) and `EngineError` (with the way out).
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import islice
from typing import Any, Final

from pipeline.adapters.s3_client import Place, client_at, code_of, s3_in_use, status_of
from pipeline.adapters.s3_errors import check_whole
from pipeline.errors import EngineError, StoreUnavailable
from pipeline.ports import Entry

CONFLICT_TRIES: Final = 6
CONFLICT_SECONDS: Final = 0.05
"""Before the next try after a conflict, doubled each time."""
DELETE_TOGETHER: Final = 1000
"""As many keys as one DeleteObjects request may name."""

_PASSING_NAME: Final = re.compile(r"(?:^|/)\.[^/]+\.sgwtmp\.[0-9]+$")
"""versitygw shows, for a moment, the name under which it puts a replacement before renaming it."""

_STAMP_NAME: Final = "fleet-stamp"
_STAMP_BYTES: Final = 17
"""A line end and 16 hexadecimal digits behind a value that may be replaced: S3's versions are digests of content, and
must change even when the value does not."""


def put_if_absent(place: Place, key: str, data: bytes) -> bool:
    """Put, atomically, unless the key exists: then False."""
    pause = CONFLICT_SECONDS
    for _ in range(CONFLICT_TRIES):
        answer = _try_to_put(place, key, data)
        if answer is not None:
            return answer
        time.sleep(pause)
        pause *= 2
    raise StoreUnavailable(f"creating {key!r}: S3 says that others write the same key, again and again")


def _try_to_put(place: Place, key: str, data: bytes) -> bool | None:
    """None: a conflict with another write that is under way, which says nothing about who wins."""
    from botocore.exceptions import ClientError

    with s3_in_use(f"creating {key!r}", place):
        try:
            client_at(place).put_object(Bucket=place.bucket, Key=place.prefix + key, Body=data, IfNoneMatch="*")
        except ClientError as error:
            if status_of(error) == 412:
                return False
            if status_of(error) == 409 and code_of(error) in ("ConditionalRequestConflict", "OperationAborted"):
                return None
            raise
    return True


def put_anew(place: Place, key: str, data: bytes) -> None:
    """Put, whatever was there; a listing's version of the key changes even when `data` is what was there."""
    stamp = b"\n" + secrets.token_hex((_STAMP_BYTES - 1) // 2).encode("ascii")
    with s3_in_use(f"replacing {key!r}", place):
        client_at(place).put_object(
            Bucket=place.bucket, Key=place.prefix + key, Body=data + stamp, Metadata={_STAMP_NAME: "1"}
        )


def get(place: Place, key: str) -> bytes | None:
    """The value, whole, or None."""
    from botocore.exceptions import ClientError

    with s3_in_use(f"reading {key!r}", place):
        try:
            answer = client_at(place).get_object(Bucket=place.bucket, Key=place.prefix + key)
        except ClientError as error:
            if code_of(error) == "NoSuchKey":
                return None
            raise
        # Closed whatever happens: the connection of a body that was read in part cannot be used again.
        with closing(answer["Body"]) as body:
            check_whole(answer, f"reading {key!r}", place)
            data: bytes = body.read()
    return data[:-_STAMP_BYTES] if _STAMP_NAME in answer.get("Metadata", {}) else data


def entries_below(place: Place, prefix: str) -> list[Entry]:
    """All keys that start with the prefix, in order, whatever number of pages that takes."""
    found: list[Entry] = []
    with s3_in_use(f"listing {prefix!r}", place):
        pages = client_at(place).get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=place.bucket, Prefix=place.prefix + prefix):
            check_whole(page, f"listing {prefix!r}", place)
            for item in page.get("Contents", ()):
                key = item["Key"].removeprefix(place.prefix)
                if not _is_foreign(key):
                    found.append(Entry(key, item["ETag"].strip('"')))
    return sorted(found, key=lambda entry: entry.key)


def _is_foreign(key: str) -> bool:
    """Whether it is no value of ours: a folder that a person made in a console, or a passing name of the server."""
    return not key or key.endswith("/") or _PASSING_NAME.search(key) is not None


def remove(place: Place, keys: Sequence[str]) -> None:
    """Remove keys, in batches of the order given; absent ones are no error."""
    rest = iter(keys)
    while some := list(islice(rest, DELETE_TOGETHER)):
        with s3_in_use(f"deleting {some[0]!r} and {len(some) - 1} more", place):
            answer = client_at(place).delete_objects(
                Bucket=place.bucket,
                Delete={"Objects": [{"Key": place.prefix + key} for key in some], "Quiet": True},
            )
            check_whole(answer, f"deleting {some[0]!r}", place)
        for error in _errors(answer):
            raise error


def _errors(answer: Any) -> Iterator[EngineError]:
    for item in answer.get("Errors", ()):
        code, key = item.get("Code", ""), item.get("Key", "")
        if code in ("AccessDenied", "MethodNotAllowed"):
            yield EngineError(f"deleting {key!r}: S3 refuses with {code}", hint="allow s3:DeleteObject on these keys")
        yield StoreUnavailable(f"deleting {key!r}: S3 answers {code}")
