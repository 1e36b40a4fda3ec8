"""Views of artifact caches for tests."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from itertools import count
from pathlib import Path

from pipeline.adapters.artifact_cache import TieredCache
from pipeline.adapters.artifact_index import ArtifactIndex
from pipeline.contracts.artifact_cache_contract import Party
from pipeline.ports.artifacts import RemoteTier


def views_of_a_remote(folder: Path, remote: Callable[[], RemoteTier], stack: ExitStack) -> Party:
    """Each view is a machine with a local tier of its own, closed with the stack."""
    numbers = count()

    def view(level: str = "trusted") -> TieredCache:
        cache = TieredCache(
            folder / f"machine-{next(numbers)}", level=level, remote=remote(), remote_seconds=10, closing_seconds=20
        )
        stack.callback(cache.close)
        return cache

    return view


def last_answers(folder: Path) -> list[str]:
    """What the newest session in that cache was answered, sorted."""
    sessions = ArtifactIndex(str(folder)).sessions(1)
    return sorted(ask.answer for session in sessions for ask in session.asks)
