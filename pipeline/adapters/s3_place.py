"""Where something lies in S3, as an address says it: bucket, prefix, endpoint, region.

It parses and refuses; it imports no client and opens nothing. An address is shown to people and handed to workers, so
it never holds credentials.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import SplitResult, parse_qsl, urlsplit

from attrs import frozen

from pipeline.errors import UsageError
from pipeline.model.keys import check_key

FORM: Final = "s3://BUCKET/PREFIX?endpoint=https://HOST:PORT&region=REGION (the part from '?' on only where needed)"
ENDPOINT_VARIABLES: Final = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", re.ASCII)
_REGION = re.compile(r"[a-z0-9-]{1,64}", re.ASCII)


@frozen(kw_only=True)
class Place:
    """A bucket, and below which keys."""

    bucket: str
    prefix: str = ""
    """Empty, or it ends with `/`."""
    endpoint: str | None = None
    """None: Amazon's own."""
    region: str | None = None
    """None: as the environment or the AWS configuration files say."""

    @property
    def name(self) -> str:
        """For people: never more than the address said."""
        where = f" at {self.endpoint}" if self.endpoint else ""
        return f"s3://{self.bucket}/{self.prefix.rstrip('/')}{where}"

    def below(self, name: str) -> Place:
        """The place of that name inside this one."""
        return Place(
            bucket=self.bucket, prefix=f"{self.prefix}{check_key(name)}/", endpoint=self.endpoint, region=self.region
        )


def parse_place(url: str, environment: Mapping[str, str] = os.environ) -> Place:
    """The place that `s3://bucket/prefix?endpoint=…&region=…` names; the endpoint else from `AWS_ENDPOINT_URL_S3` or
    `AWS_ENDPOINT_URL`. Raises `UsageError`, also for an address that holds credentials."""
    parts = _split(url)
    query = _query(parts)
    prefix = parts.path.strip("/")
    if _BUCKET.fullmatch(parts.netloc) is None:
        raise _wrong(f"{parts.netloc!r} is no name of a bucket")
    if prefix:
        check_key(prefix)
    endpoint = query.get("endpoint") or next(filter(None, map(environment.get, ENDPOINT_VARIABLES)), None)
    region = query.get("region")
    if region is not None and _REGION.fullmatch(region) is None:
        raise _wrong(f"{region!r} is no region")
    return Place(
        bucket=parts.netloc,
        prefix=f"{prefix}/" if prefix else "",
        endpoint=_endpoint(endpoint) if endpoint else None,
        region=region,
    )


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise _wrong(f"it cannot be read: {error}") from error
    if parts.scheme != "s3" or parts.fragment:
        raise _wrong("it is no s3:// address")
    _refuse_credentials(parts)
    return parts


def _query(parts: SplitResult) -> dict[str, str]:
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    unknown = sorted(set(query) - {"endpoint", "region"})
    if unknown:
        # Not the values: somebody may have written a key there.
        raise _wrong(f"it has unknown parts {', '.join(map(repr, unknown))}")
    return query


def _endpoint(text: str) -> str:
    try:
        parts = urlsplit(text)
        is_good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        is_good = False
    if not is_good:
        raise _wrong("its endpoint is no http:// or https:// address")
    _refuse_credentials(parts)
    if parts.query or parts.fragment:
        raise _wrong("its endpoint may not have a part from '?' or '#' on")
    return text.rstrip("/")


def _refuse_credentials(parts: SplitResult) -> None:
    if "@" in parts.netloc:
        raise UsageError(
            "the address of an S3 store holds credentials, which would be shown to everybody who sees it",
            hint="remove them from the address; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment, "
            "or use an AWS profile or a role",
        )


def _wrong(reason: str) -> UsageError:
    return UsageError(f"the address of an S3 store is wrong: {reason}", hint=f"write {FORM}")
