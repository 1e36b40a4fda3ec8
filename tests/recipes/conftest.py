"""A project, and where its recipes are made."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.adapters.artifact_cache import TieredCache
from pipeline.adapters.recipes import Kitchen


@pytest.fixture
def kitchens(tmp_path: Path) -> Callable[..., Kitchen]:
    """Makes kitchens of projects by name that share one cache; further variables by keyword."""

    def kitchen(name: str = "project", **variables: str) -> Kitchen:
        root = tmp_path / name
        root.mkdir(exist_ok=True)
        return Kitchen(
            root=root,
            state=tmp_path / f"{name}-state",
            cache=TieredCache(tmp_path / "cache", sync=False),
            environment={**os.environ, **variables},
            progress=lambda text: None,
        )

    return kitchen
