"""What tests of faults have in common: a client that does not wait long, and blobs that nobody has seen."""

from __future__ import annotations

import io
import os
import uuid
from collections.abc import Callable
from typing import Any, BinaryIO

from pipeline.adapters.registry import HttpRegistry
from pipeline.logic.image_manifests import descriptor
from pipeline.model.images import Descriptor


def client(**settings: Any) -> HttpRegistry:
    """A client whose waits between tries are short."""
    return HttpRegistry(**{"first_wait_seconds": 0.01, "timeouts": (5.0, 10.0), **settings})


def fresh_blob(size: int) -> tuple[Descriptor, Callable[[], BinaryIO]]:
    """Random bytes, and what opens them."""
    data = os.urandom(size)
    return descriptor(data, "application/octet-stream"), lambda: io.BytesIO(data)


def fresh_repository(address: str) -> str:
    """A repository that nobody has used."""
    return f"{address}/faults/{uuid.uuid4().hex}"
