"""The store by its address, as `extensions.built_in` makes it for the agent: an image has no entry points of ours."""

from __future__ import annotations

import os
from collections.abc import Mapping

from pipeline.errors import UsageError
from pipeline.ports import Store


def open_store(url: str, client: Mapping[str, str]) -> Store:
    """Open it; `client` is what its client reads from the environment. Raises `UsageError`, `EngineError`."""
    os.environ.update(client)
    scheme = url.partition("://")[0] if "://" in url else "file"
    if scheme == "file":
        from pipeline.adapters.directory_store import DirectoryStore

        return DirectoryStore(url.removeprefix("file://"))
    if scheme == "s3":
        from pipeline.adapters.s3_place import parse_place
        from pipeline.adapters.s3_store import S3Store

        return S3Store(parse_place(url))
    raise UsageError(f"a worker cannot open a store {scheme}://", hint="workers elsewhere need a folder or S3")
