"""Who works in a run or has worked, as the store tells it: births, tombstones, what is known of places. It judges nothing."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from pipeline.logic.objects import Birth, Tomb, from_bytes
from pipeline.ports import Clock, Store
from pipeline.ports.places import PlaceStory
from pipeline.protocol import keys
from pipeline.protocol.certain import CertainStore
from pipeline.protocol.stories import read_stories
from pipeline.protocol.tombs import read_tomb


@frozen(kw_only=True)
class Member:
    """One worker."""

    birth: Birth
    tomb: Tomb | None
    """None: nobody has said that it has ended."""
    story: PlaceStory | None = None


async def read_roster(store: Store, clock: Clock, run: str) -> Sequence[Member]:
    """All workers of a run, by name. Raises `StoreUnavailable`, `StoreDamaged`."""
    certain = CertainStore(store, clock)
    stories = await read_stories(certain, run)
    members = []
    for entry in await certain.list(keys.workers(run)):
        data = await certain.read(entry.key)
        if data is not None:
            birth = from_bytes(Birth, data)
            tomb = await read_tomb(certain, run, birth.worker)
            members.append(Member(birth=birth, tomb=tomb, story=stories.get(birth.worker)))
    return members


async def has_ended(store: Store, clock: Clock, run: str, worker: str) -> bool:
    """Whether a worker has a tombstone. Raises `StoreUnavailable`."""
    return await read_tomb(CertainStore(store, clock), run, worker) is not None
