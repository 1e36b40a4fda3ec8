"""The client of S3: one for each endpoint in a process, shared by all threads.

Clients are safe to share, making them is not, and many of them leak memory (boto/boto3#2750, #1670). It must not know
what is stored. Credentials come from AWS's own chain only: environment, files, roles.
"""

from __future__ import annotations

import os
import threading
from typing import Any, Final

from pipeline.adapters.s3_errors import code_of, s3_in_use, status_of
from pipeline.adapters.s3_place import Place, parse_place

__all__ = ["CONNECTIONS", "Place", "client_at", "code_of", "parse_place", "s3_in_use", "status_of"]

CONNECTIONS: Final = 64
"""How many requests may be under way at once; more wait for a free connection."""
CONNECT_SECONDS: Final = 5.0
READ_SECONDS: Final = 10.0
"""Silence of the server within an answer."""
ATTEMPTS: Final = 2
"""Few, because callers repeat what had no answer and must be told soon; a beat may not hang for half a lease."""
NO_REGION: Final = "us-east-1"
"""Signed into requests to servers that have no regions."""

_making = threading.Lock()
_clients: dict[tuple[object, ...], Any] = {}


def client_at(place: Place, *, read_seconds: float = READ_SECONDS, attempts: int = ATTEMPTS) -> Any:
    """The boto3 client for the endpoint of `place`; the same one for the same arguments, in all threads.

    `read_seconds`: silence after which an answer is given up; `attempts`: tries in all, with growing pauses, of what
    failed in passing. Large objects want more of both. Raises `EngineError` (wrong AWS configuration).
    """
    # The process is part of the key: a forked child must not speak on its parent's connections.
    key = (os.getpid(), place.endpoint, place.region, read_seconds, attempts)
    with _making:
        if key not in _clients:
            with s3_in_use("making a client", place):
                _clients[key] = _make(place, read_seconds, attempts)
        return _clients[key]


def _make(place: Place, read_seconds: float, attempts: int) -> Any:
    from boto3.session import Session
    from botocore.config import Config

    session = Session()
    config = Config(
        retries={"mode": "standard", "total_max_attempts": attempts},
        connect_timeout=CONNECT_SECONDS,
        read_timeout=read_seconds,
        tcp_keepalive=True,
        max_pool_connections=CONNECTIONS,
        # Trailing checksums break many servers that speak S3 (boto/boto3#4392); what matters carries its own digest.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        **({"s3": {"addressing_style": "path"}} if place.endpoint else {}),
    )
    return session.client("s3", endpoint_url=place.endpoint, region_name=region_of(session, place), config=config)


def region_of(session: Any, place: Place) -> str | None:
    """The region that requests are signed for. boto3 itself does not read `AWS_REGION`, as other clients of AWS do."""
    said = place.region or os.environ.get("AWS_REGION") or session.region_name
    return said or (NO_REGION if place.endpoint else None)
