"""All artifact caches pass the contract suite: memory, a folder, and folders that meet in a share or in S3."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from pipeline.adapters.artifact_cache import TieredCache
from pipeline.adapters.artifact_s3 import S3Tier
from pipeline.adapters.artifact_share import SharedFolder
from pipeline.contracts.artifact_cache_contract import ArtifactCacheContract, Party, RacingKeepersContract
from tests.artifacts.views import views_of_a_remote
from tests.engines.fixtures import Bucket
from tests.fakes.memory_artifacts import Medium, MemoryArtifacts


class TestMemoryArtifacts(ArtifactCacheContract, RacingKeepersContract):
    """The fake."""

    @pytest.fixture
    def party(self, tmp_path: Path) -> Party:
        """Views of one medium."""
        medium = Medium(tmp_path / "handed-out")
        return lambda level="trusted": MemoryArtifacts(medium, level)


class TestLocalTier(ArtifactCacheContract, RacingKeepersContract):
    """One folder."""

    @pytest.fixture
    def party(self, tmp_path: Path) -> Party:
        """Views of one folder."""
        return lambda level="trusted": TieredCache(tmp_path / "cache", level=level)


class TestRemoteShare(ArtifactCacheContract):
    """A machine for each view; they meet in a shared folder."""

    @pytest.fixture
    def party(self, tmp_path: Path) -> Iterator[Party]:
        """Each view has a folder of its own."""
        (tmp_path / "share").mkdir()
        with ExitStack() as stack:
            yield views_of_a_remote(tmp_path, lambda: SharedFolder(tmp_path / "share"), stack)


class TestRemoteBucket(ArtifactCacheContract):
    """A machine for each view; they meet in S3."""

    @pytest.fixture
    def party(self, tmp_path: Path, s3: Bucket, monkeypatch: pytest.MonkeyPatch) -> Iterator[Party]:
        """Each view has a folder of its own."""
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3.access_key)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3.secret_key)
        with ExitStack() as stack:
            yield views_of_a_remote(tmp_path, lambda: S3Tier(f"s3://{s3.bucket}/cache?endpoint={s3.url}"), stack)
