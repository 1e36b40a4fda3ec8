"""A store on a server that is tried out before the first write, once a day: then it is passed through.

What was found is kept in a file of the agent's own. It must not know which server it is.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pipeline.adapters.store_probe import prove
from pipeline.ports import Entry, Journal, Store

LASTS_SECONDS: Final = 86_400.0


class ProvenStore:
    """`store`, called `name`; that it was fit is remembered in `folder`.

    The first write raises `UsageError` when it is not fit, `StoreUnavailable` when that cannot be found out now.
    """

    def __init__(self, store: Store, name: str, folder: Path) -> None:
        self._store, self._name = store, name
        self._note = folder / hashlib.sha256(name.encode()).hexdigest()[:16]
        self._is_proven = False
        self._turn = asyncio.Lock()

    async def create(self, key: str, data: bytes) -> bool:
        """Put if absent."""
        await self._see_to_proof()
        return await self._store.create(key, data)

    async def replace(self, key: str, data: bytes) -> None:
        """Put."""
        await self._see_to_proof()
        await self._store.replace(key, data)

    async def read(self, key: str) -> bytes | None:
        """The value, or None."""
        return await self._store.read(key)

    async def list(self, prefix: str) -> Sequence[Entry]:
        """Keys below the prefix."""
        return await self._store.list(prefix)

    async def delete(self, prefix: str) -> int:
        """Remove keys."""
        return await self._store.delete(prefix)

    def journal(self, prefix: str) -> Journal:
        """A journal; nobody writes one who has not created a birth before."""
        return self._store.journal(prefix)

    async def _see_to_proof(self) -> None:
        if self._is_proven:
            return
        async with self._turn:
            if not self._is_proven and not self._is_noted():
                await prove(self._store, self._name)
                self._take_note()
            self._is_proven = True

    def _is_noted(self) -> bool:
        try:
            return 0 <= time.time() - self._note.stat().st_mtime < LASTS_SECONDS
        except OSError:
            return False

    def _take_note(self) -> None:
        self._note.parent.mkdir(parents=True, exist_ok=True)
        self._note.write_text(f"{self._name} was tried out and is fit for runs\n", encoding="utf-8")
