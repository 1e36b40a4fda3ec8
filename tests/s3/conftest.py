"""Credentials of the S3 server where a user would set them, and a tamperer before it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.s3.tamperer import Tamperer, tampering


@pytest.fixture(autouse=True)
def aws(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only tests that ask for the server get its credentials; none see the machine's own."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    if "s3" in request.fixturenames:
        s3: Any = request.getfixturevalue("s3")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3.access_key)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3.secret_key)


@pytest.fixture
def tamperer(s3: Any) -> Iterator[Tamperer]:
    """Between clients and the server."""
    with tampering(s3.url) as found:
        yield found
