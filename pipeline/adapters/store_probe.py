"""Finds out whether a store keeps its promises, and whether two parties share it, before anything relies on it.

A directory on a volume that another host does not see, or sees too late, and a server that ignores `If-None-Match`
would let two workers own one batch. Works through `ports.Store` alone, so it fits every store.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import Final

from pipeline.errors import UsageError
from pipeline.ports import Clock, Store

LIMIT_SECONDS: Final = 5.0
_POLL_SECONDS: Final = 0.05
RACERS: Final = 16
"""Creations of one key at once."""
RACES: Final = 3


async def prove(store: Store, name: str) -> None:
    """Try out, alone, that of many racing creators one wins, and that writes are seen at once by reads and listings.

    Leaves nothing behind. `name` is the store's, for people. Raises `UsageError` with the promise that is broken.
    """
    folder = f"probes/{secrets.token_hex(8)}"
    try:
        for race in range(RACES):
            await _race(store, f"{folder}/race-{race}", name)
        await _see_replacements(store, f"{folder}/beat", name)
    finally:
        removed = await store.delete(f"{folder}/")
    if removed and await store.list(f"{folder}/"):
        raise _lying(name, "keys are still listed after their deletion")


async def _race(store: Store, key: str, name: str) -> None:
    values = [b"%d" % number for number in range(RACERS)]
    answers = await asyncio.gather(*(store.create(key, value) for value in values))
    winners = [value for value, won in zip(values, answers, strict=True) if won]
    found = await store.read(key)
    if len(winners) > 1:
        raise _lying(
            name, f"of {RACERS} parties that created one key at once, {len(winners)} were told that it is theirs"
        )
    # None: the winner's first answer was lost, and its repetition was refused.
    if found not in (winners or values):
        raise _lying(name, f"{found!r} is read where {winners!r} has been created")
    if [entry.key for entry in await store.list(key)] != [key]:
        raise _lying(name, "a key that was just created is not listed")


async def _see_replacements(store: Store, key: str, name: str) -> None:
    versions = set()
    for number in (1, 2, 2):
        await store.replace(key, b"%d" % number)
        if await store.read(key) != b"%d" % number:
            raise _lying(name, "a value that was just replaced is still read")
        versions |= {entry.version for entry in await store.list(key)}
    if len(versions) != 3:
        raise _lying(name, "listings do not tell that a value was replaced")


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


def _lying(name: str, reason: str) -> UsageError:
    return UsageError(
        f"the store {name!r} is not fit for runs: {reason}",
        hint="use a server with conditional writes (If-None-Match) and consistent listings, without a cache in between; "
        "or name a folder that all workers share: store.url=…",
    )
