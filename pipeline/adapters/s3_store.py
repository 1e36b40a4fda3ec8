"""`ports.Store` in a bucket of S3: each value an object, each journal a row of numbered objects.

It must not know what the keys mean. All of it rests on conditional writes (`If-None-Match: *`), which
`store_probe.prove` tries out, and on listings that see every write that ended before.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TypeVar

from pipeline.adapters.lanes import Lanes
from pipeline.adapters.s3_client import CONNECTIONS
from pipeline.adapters.s3_journal import S3Journal, Segments
from pipeline.adapters.s3_place import Place
from pipeline.errors import UsageError
from pipeline.model.keys import check_key, check_prefix
from pipeline.ports import Entry

T = TypeVar("T")

_lanes: dict[int, Lanes] = {}


class S3Store:
    """A store below one place; nothing is sent before the first use.

    Any use may raise `UsageError` (wrong key), `StoreUnavailable` (try again), `EngineError` (settings or rights).
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        self._segments: dict[str, Segments] = {}

    async def create(self, key: str, data: bytes) -> bool:
        """Put if absent; False also when an earlier try without an answer was what put it there."""
        from pipeline.adapters.s3_requests import put_if_absent

        check_key(key)
        return await self._run(lambda: put_if_absent(self.place, key, data))

    async def replace(self, key: str, data: bytes) -> None:
        """Put, in one step."""
        from pipeline.adapters.s3_requests import put_anew

        check_key(key)
        await self._run(lambda: put_anew(self.place, key, data))

    async def read(self, key: str) -> bytes | None:
        """The value, or None."""
        from pipeline.adapters.s3_requests import get

        check_key(key)
        return await self._run(lambda: get(self.place, key))

    async def list(self, prefix: str) -> Sequence[Entry]:
        """All keys below the prefix; below a journal's prefix also objects of the journal's own."""
        from pipeline.adapters.s3_requests import entries_below

        check_prefix(prefix)
        return await self._run(lambda: entries_below(self.place, prefix))

    async def delete(self, prefix: str) -> int:
        """Remove keys in sorted order, journals too."""
        if not check_prefix(prefix):
            raise UsageError("will not delete a whole store", hint="name a prefix")
        for key in [key for key in self._segments if f"{key}/".startswith(prefix)]:
            del self._segments[key]
        return await self._run(lambda: _delete(self.place, prefix))

    def journal(self, prefix: str) -> S3Journal:
        """The journal of that name; its handles share what has been read of it."""
        key = check_key(prefix.rstrip("/"))
        return S3Journal(self, self._segments.setdefault(key, Segments(key=key)))

    async def _run(self, call: Callable[[], T]) -> T:
        # By process: a forked child has none of its parent's threads.
        lanes = _lanes.get(os.getpid()) or _lanes.setdefault(os.getpid(), Lanes(CONNECTIONS, "fleet-s3"))
        return await lanes.run(call)


def _delete(place: Place, prefix: str) -> int:
    from pipeline.adapters.s3_requests import entries_below, remove

    keys = [entry.key for entry in entries_below(place, prefix)]
    remove(place, keys)
    return len(keys)
