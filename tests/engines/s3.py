"""S3: versitygw over a folder, path-style addressing. Conditional writes and SHA-256 checksums are honoured."""

from __future__ import annotations

import http.client
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.engines.binaries import build
from tests.engines.engine import ListeningEngine
from tests.engines.ports import LOOPBACK
from tests.engines.processes import spawn
from tests.engines.records import Record, recall

ACCESS_KEY, SECRET_KEY = "fleet-tests", "only-for-tests"
REGION = "us-east-1"


class S3Server(ListeningEngine):
    """One gateway; buckets are folders below `storage`."""

    name = "s3"
    usual_port = 17070

    def __init__(self, folder: Path | None = None, *, storage: Path | None = None) -> None:
        super().__init__(folder)
        self.storage = storage or self.folder / "storage"

    @property
    def url(self) -> str:
        """The endpoint."""
        return str(self.facts["url"])

    def launch(self) -> Record:
        """Start it where it was before, else at the usual port."""
        program = build("versitygw")
        port = self.port()
        self.storage.mkdir(parents=True, exist_ok=True)
        env = {"ROOT_ACCESS_KEY": ACCESS_KEY, "ROOT_SECRET_KEY": SECRET_KEY}
        argv = [str(program), "--port", f"{LOOPBACK}:{port}", "--health", "/health", "posix", str(self.storage)]
        facts = {"url": f"http://{LOOPBACK}:{port}", "port": port, "access_key": ACCESS_KEY, "secret_key": SECRET_KEY}
        return Record(processes=(spawn(argv, self.log, env),), facts=facts)

    def is_healthy(self) -> bool:
        """Whether it answers."""
        found = recall(self.folder)
        if found is None:
            return False
        connection = http.client.HTTPConnection(LOOPBACK, int(found.facts["port"]), timeout=5)
        try:
            connection.request("GET", "/health")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def client(self) -> Any:
        """A boto3 client for this gateway."""
        import boto3
        from botocore.config import Config

        config = Config(
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            retries={"mode": "standard", "max_attempts": 2},
        )
        keys = {"aws_access_key_id": ACCESS_KEY, "aws_secret_access_key": SECRET_KEY}
        return boto3.client("s3", endpoint_url=self.url, region_name=REGION, config=config, **keys)

    @contextmanager
    def bucket(self) -> Iterator[str]:
        """A fresh, empty bucket; it and all in it is removed afterwards."""
        name, client = f"test-{uuid.uuid4().hex[:12]}", self.client()
        try:
            client.create_bucket(Bucket=name)
            yield name
            _empty(client, name)
            client.delete_bucket(Bucket=name)
        finally:
            client.close()


def _empty(client: Any, bucket: str) -> None:
    for page in client.get_paginator("list_multipart_uploads").paginate(Bucket=bucket):
        for upload in page.get("Uploads", ()):
            client.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        keys = [{"Key": found["Key"]} for found in page.get("Contents", ())]
        if keys:
            client.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True})
