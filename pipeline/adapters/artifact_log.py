"""What one process does with the cache, gathered and written to the index now and then; notices told once each.

It must not know what the answers mean.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from threading import Lock

from pipeline.adapters.artifact_index import ArtifactIndex
from pipeline.model.caches import Ask

FLUSH_AT = 500
"""So many answers are kept in memory at most."""


class ArtifactLog:
    """One process's session. Safe to use from several threads."""

    def __init__(self, index: ArtifactIndex, tell: Callable[[str], None]) -> None:
        self._index = index
        self._tell = tell
        self._told: set[str] = set()
        self._session, self._started = secrets.token_hex(8), time.time()
        self._asks: dict[str, Ask] = {}
        self._used: set[str] = set()
        self._lock = Lock()

    def answer(self, key: str, about: str, answer: str, *, used: str = "") -> None:
        """Gather an answer, and the record (`<level>/<key>`) that gave it."""
        with self._lock:
            self._asks[key] = Ask(key=key, about=about, answer=answer)
            if used:
                self._used.add(used)
            is_full = len(self._asks) >= FLUSH_AT
        if is_full:
            self.flush()

    def use(self, name: str) -> None:
        """Gather a use that was no question."""
        with self._lock:
            self._used.add(name)

    def notice(self, text: str) -> None:
        """Tell people, once however often it happens."""
        with self._lock:
            if text in self._told:
                return
            self._told.add(text)
        self._tell(text)

    def flush(self) -> None:
        """Write down what was gathered."""
        with self._lock:
            asks, used = list(self._asks.values()), self._used
            self._asks, self._used = {}, set()
        if asks or used:
            self._index.note(self._session, self._started, used, asks)
