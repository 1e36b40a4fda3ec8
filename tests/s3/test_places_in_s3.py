"""Addresses of S3 stores: what they mean, and what is refused before anything is sent."""

from __future__ import annotations

import pytest

from pipeline.adapters.s3_place import Place, parse_place
from pipeline.errors import UsageError


@pytest.mark.parametrize(
    ("url", "environment", "place"),
    [
        ("s3://acme-ci", {}, Place(bucket="acme-ci")),
        ("s3://acme-ci/fleet/", {}, Place(bucket="acme-ci", prefix="fleet/")),
        ("s3://acme-ci/a/b?region=eu-west-1", {}, Place(bucket="acme-ci", prefix="a/b/", region="eu-west-1")),
        ("s3://acme-ci?endpoint=http://h:1/", {}, Place(bucket="acme-ci", endpoint="http://h:1")),
        ("s3://acme-ci", {"AWS_ENDPOINT_URL": "http://h:1"}, Place(bucket="acme-ci", endpoint="http://h:1")),
        (
            "s3://acme-ci",
            {"AWS_ENDPOINT_URL": "http://h:1", "AWS_ENDPOINT_URL_S3": "http://h:2"},
            Place(bucket="acme-ci", endpoint="http://h:2"),
        ),
        (
            "s3://acme-ci?endpoint=https://h",
            {"AWS_ENDPOINT_URL": "http://h:1"},
            Place(bucket="acme-ci", endpoint="https://h"),
        ),
    ],
)
def test_an_address_names_a_place(url: str, environment: dict[str, str], place: Place) -> None:
    """The address stands above the environment, S3's own variable above the general one."""
    assert parse_place(url, environment) == place


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("s3://key:word@acme-ci/x", "holds credentials"),
        ("s3://acme-ci/x?endpoint=http://key:word@host", "holds credentials"),
        ("s3://acme-ci/x?aws_secret_access_key=word", "unknown parts 'aws_secret_access_key'"),
        ("s3://Acme_CI/x", "is no name of a bucket"),
        ("s3:///x", "is no name of a bucket"),
        ("s3://acme-ci/../x", "is no store key"),
        ("s3://acme-ci/x?endpoint=ftp://host", "endpoint is no http"),
        ("s3://acme-ci/x?endpoint=http://host:port", "endpoint is no http"),
        ("s3://acme-ci/x?endpoint=http://host/?key=word", "part from"),
        ("s3://acme-ci/x?region=eu west", "is no region"),
        ("s3://acme-ci/x#y", "is no s3:// address"),
        ("s3://[acme/x", "cannot be read"),
    ],
)
def test_a_wrong_address_is_refused_without_repeating_secrets(url: str, told: str) -> None:
    """The message says what is wrong; what may be a secret is not in it."""
    with pytest.raises(UsageError) as caught:
        parse_place(url, {})

    assert told in str(caught.value)
    assert "word" not in str(caught.value)
