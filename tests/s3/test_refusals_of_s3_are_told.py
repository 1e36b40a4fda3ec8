"""What S3 and its client refuse: what can be tried again is `StoreUnavailable`, all else says what to do."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import Any

import pytest

from pipeline.adapters.s3_place import parse_place
from pipeline.adapters.s3_store import S3Store
from pipeline.errors import EngineError, StoreUnavailable
from tests.s3.stores import store_in
from tests.s3.tamperer import Tamperer, refusal


def _error(store: S3Store) -> EngineError:
    with pytest.raises(EngineError) as caught:
        asyncio.run(store.read("k"))
    return caught.value


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (500, "InternalError"),
        (503, "SlowDown"),
        (503, "ServiceUnavailable"),
        (400, "RequestTimeout"),
        (429, "TooManyRequests"),
        (502, "BadGateway"),
    ],
)
def test_passing_trouble_is_unavailable(s3: Any, tamperer: Tamperer, status: int, code: str) -> None:
    """Throttling and errors of the server."""
    tamperer.decide = lambda method, path: refusal(status, code)

    error = _error(store_in(s3, endpoint=tamperer.url))

    assert isinstance(error, StoreUnavailable)
    assert not error.permanent


@pytest.mark.parametrize(
    ("status", "code", "told", "hint"),
    [
        (403, "AccessDenied", "access is denied", "s3:ListBucket"),
        (403, "RequestTimeTooSkewed", "clock is wrong", "set the clock"),
        (400, "ExpiredToken", "expired", "get new ones"),
        (403, "InvalidAccessKeyId", "not known", "AWS_ACCESS_KEY_ID"),
        (400, "AuthorizationHeaderMalformed", "another region", "region="),
        (404, "NoSuchBucket", "no such bucket", "create it"),
        (501, "NotImplemented", "lacks something", "conditional writes"),
        (400, "Unheard", "refuses with 400 Unheard", "allow"),
    ],
)
def test_lasting_trouble_says_what_to_do(
    s3: Any, tamperer: Tamperer, status: int, code: str, told: str, hint: str
) -> None:
    """Trying again is pointless, and is not done."""
    tamperer.decide = lambda method, path: refusal(status, code)

    error = _error(store_in(s3, endpoint=tamperer.url))

    assert not isinstance(error, StoreUnavailable)
    assert told in error.message
    assert hint in error.hint
    assert len(tamperer.seen) <= 2


def test_being_sent_on_for_ever_is_told(s3: Any, tamperer: Tamperer) -> None:
    """The client follows redirects to another region by itself; one that leads nowhere ends as an error."""
    tamperer.decide = lambda method, path: refusal(301, "PermanentRedirect")

    assert "another region" in _error(store_in(s3, endpoint=tamperer.url)).message


def test_the_server_itself_refuses_wrong_keys(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret that does not fit, as the real server says it."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")

    error = _error(S3Store(parse_place(f"s3://{s3.bucket}/x?endpoint={s3.url}&region=xx-own-{s3.bucket[-6:]}", {})))

    assert "Signature" in error.message or "secret key" in error.message or "region" in error.message


def test_no_credentials_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any in the environment, the files or the machine's role nothing is sent."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)

    error = _error(S3Store(parse_place("s3://bucket/x?endpoint=http://127.0.0.1:1&region=none-at-all", {})))

    assert "no credentials were found" in error.message
    assert "AWS_ACCESS_KEY_ID" in error.hint


def test_an_unknown_profile_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A typing mistake in AWS_PROFILE is no traceback."""
    monkeypatch.setenv("AWS_PROFILE", "nobody")

    assert "profile does not exist" in _error(S3Store(parse_place("s3://bucket/x?region=profile", {}))).message


def test_nobody_at_the_endpoint_is_an_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is down may come back."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "k")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]

    assert isinstance(
        _error(S3Store(parse_place(f"s3://bucket/x?endpoint=http://127.0.0.1:{port}", {}))), StoreUnavailable
    )
