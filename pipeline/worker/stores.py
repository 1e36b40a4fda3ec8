"""The store by its address, as `extensions.built_in` makes it for the agent: an image has no entry points of ours."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping

from pipeline.errors import UsageError
from pipeline.model.access import CA_BUNDLE
from pipeline.ports import Store


def open_store(url: str, client: Mapping[str, str]) -> Store:
    """Open it; `client` is what its client reads from the environment, with names of `model.access`. Raises `UsageError`."""
    os.environ.update(client)
    if CA_BUNDLE in client:
        os.environ["AWS_CA_BUNDLE"] = _written(client[CA_BUNDLE])
    scheme = url.partition("://")[0] if "://" in url else "file"
    if scheme == "file":
        from pipeline.adapters.directory_store import DirectoryStore

        return DirectoryStore(url.removeprefix("file://"))
    if scheme == "s3":
        from pipeline.adapters.s3_place import parse_place
        from pipeline.adapters.s3_store import S3Store

        return S3Store(parse_place(url))
    raise UsageError(f"a worker cannot open a store {scheme}://", hint="workers elsewhere need a folder or S3")


def _written(certificates: str) -> str:
    """A file that is there as long as this process: each connection reads it."""
    with tempfile.NamedTemporaryFile("w", encoding="ascii", prefix="store-ca-", suffix=".pem", delete=False) as file:
        file.write(certificates)
    return file.name
