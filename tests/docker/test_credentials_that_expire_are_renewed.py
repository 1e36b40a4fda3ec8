"""A run that takes longer than credentials live: workers make room in time for others, who are handed new ones."""

from __future__ import annotations

import pytest

from tests.docker.house import DockerProject
from tests.engines.fixtures import Bucket
from tests.s3.endpoint import Endpoint, giving

pytestmark = pytest.mark.timeout(300)
LIVES_SECONDS = 24.0
"""A worker then claims for 18 s at most, and botocore asks for new ones each time."""


def test_workers_follow_each_other_and_no_test_runs_twice(project: DockerProject, s3: Bucket) -> None:
    """No loss is told, none is counted: each worker has ended of its own accord."""
    tests = project.sleepers(files=4, count=7, seconds=1.0)
    with giving(Endpoint(s3.access_key, s3.secret_key, lives_seconds=LIVES_SECONDS, token="")) as endpoint:
        running = project.start(
            f"store.url=s3://{s3.bucket}/store",
            "docker.network=host",
            "workers.count=1",
            "workers.max_losses=0",
            env={"AWS_ENDPOINT_URL": s3.url, "AWS_EC2_METADATA_DISABLED": "true", **endpoint.environment},
        )
        assert running.end(250) == 0, running.output

    assert len(project.traces()) == tests == len(set(project.traces()))
    ended = [event for event in project.events("WorkerEnded") if event["tests"]]
    assert len(ended) >= 2, running.output
    assert not project.events("WorkerLost")
