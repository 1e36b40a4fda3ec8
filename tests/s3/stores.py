"""Stores in the bucket of the fixture `s3`, for tests."""

from __future__ import annotations

from typing import Any

from pipeline.adapters.s3_place import parse_place
from pipeline.adapters.s3_store import S3Store


def address(s3: Any, prefix: str = "store", endpoint: str | None = None) -> str:
    """What a user would write into `store.url`."""
    return f"s3://{s3.bucket}/{prefix}?endpoint={endpoint or s3.url}"


def store_in(s3: Any, prefix: str = "store", endpoint: str | None = None) -> S3Store:
    """A party's handle on the store there."""
    return S3Store(parse_place(address(s3, prefix, endpoint), {}))
