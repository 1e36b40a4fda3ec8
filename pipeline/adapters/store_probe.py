"""Finds out whether two parties that were given the same store really share one, before anything relies on it.

A directory on a volume that another host does not see, or sees too late, would let two workers own one batch. Works
through `ports.Store` alone, so it fits every store.
"""

from __future__ import annotations

from typing import Final

from pipeline.errors import UsageError
from pipeline.ports import Clock, Store

LIMIT_SECONDS: Final = 5.0
_POLL_SECONDS: Final = 0.05


async def probe(
    store: Store, clock: Clock, *, key: str, me: str, other: str, limit_seconds: float = LIMIT_SECONDS
) -> None:
    """Meet the other party below `key`; both call this, with names exchanged, and `key` is new for each meeting.

    Each must see the other's value, by name and in a listing, within the limit; and of two creations of one key both
    must name the same winner. Raises `UsageError`.
    """
    await store.create(f"{key}/{me}", me.encode())
    await _wait_for(store, clock, f"{key}/{other}", limit_seconds)
    won = await store.create(f"{key}/first", me.encode())
    winner = await _wait_for(store, clock, f"{key}/first", limit_seconds)
    if won != (winner == me.encode()):
        raise _unfit(f"{me!r} was told {won} for a key that {winner.decode(errors='replace')!r} holds")
    await store.create(f"{key}/{me}.saw", winner)
    seen = await _wait_for(store, clock, f"{key}/{other}.saw", limit_seconds)
    if seen != winner:
        raise _unfit(f"{me!r} and {other!r} both created one key")


async def _wait_for(store: Store, clock: Clock, key: str, limit_seconds: float) -> bytes:
    """The value, as soon as it is both listed and read."""
    end = clock.monotonic() + limit_seconds
    while True:
        listed = any(entry.key == key for entry in await store.list(key))
        value = await store.read(key)
        if listed and value is not None:
            return value
        if clock.monotonic() >= end:
            raise _unfit(f"{key!r} of the other party is not to be seen after {limit_seconds:g} s")
        await clock.sleep(_POLL_SECONDS)


def _unfit(reason: str) -> UsageError:
    return UsageError(
        f"the store is not shared by all workers: {reason}",
        hint="name a folder that all hosts see at once (NFS: mount with actimeo=0), or a store on a server: store.url=…",
    )
