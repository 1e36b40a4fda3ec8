"""Keep what an engine knows of workers' places: it forgets its objects, and an agent may die.

One small object for each worker, written once. Nothing of the protocol rests on it; it is for people, and for what is
done about preemptions. It must not know engines.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

from attrs import asdict, fields

from pipeline.errors import FleetError, StoreDamaged
from pipeline.logic.objects import Place, from_bytes, to_bytes
from pipeline.ports.places import PlaceStory, Telling
from pipeline.protocol import keys
from pipeline.protocol.certain import CertainStore
from pipeline.protocol.view import RunView

TOGETHER = 16


async def keep_stories(
    store: CertainStore, view: RunView, places: Telling, workers: Iterable[str], *, by: str
) -> dict[str, str]:
    """Write what is known of the places of these workers, where nobody has; causes of those that were taken away."""
    told: dict[str, str] = {}
    names = list(workers)
    for start in range(0, len(names), TOGETHER):
        some = [_keep(store, view, places, name, by) for name in names[start : start + TOGETHER]]
        told.update(found for found in await asyncio.gather(*some) if found is not None)
    return told


async def _keep(store: CertainStore, view: RunView, places: Telling, worker: str, by: str) -> tuple[str, str] | None:
    try:
        birth = await view.read_birth(worker)
        story = await places.story(birth.identity) if birth is not None else None
        if story is None:
            return None
        place = Place(worker=worker, plan=view.plan.digest, by=by, story=asdict(story))
        await store.create(keys.place(view.run, worker), to_bytes(place))
    except FleetError:
        return None  # For people only: nothing fails for want of it.
    return (worker, story.disruption) if story.disruption else None


async def read_stories(store: CertainStore, run: str) -> dict[str, PlaceStory]:
    """All that were kept, by worker. Raises `StoreUnavailable`."""
    found: dict[str, PlaceStory] = {}
    entries = [keys.last(entry.key) for entry in await store.list(keys.places(run))]
    for start in range(0, len(entries), TOGETHER):
        some = entries[start : start + TOGETHER]
        for worker, data in zip(some, await _read(store, run, some), strict=True):
            if data is not None:
                with suppress(StoreDamaged):  # For people only.
                    found[worker] = _story(from_bytes(Place, data))
    return found


async def _read(store: CertainStore, run: str, workers: Sequence[str]) -> list[bytes | None]:
    return await asyncio.gather(*(store.read(keys.place(run, worker)) for worker in workers))


def _story(place: Place) -> PlaceStory:
    """Of fields that have the right kinds; another version may know others."""
    told = place.story if isinstance(place.story, dict) else {}
    known = {each.name: each.default for each in fields(PlaceStory)}
    good: dict[str, Any] = {
        name: float(value) if isinstance(known[name], float) else value
        for name, value in told.items()
        if name in known and _suits(value, known[name])
    }
    return PlaceStory(**good)


def _suits(value: object, default: object) -> bool:
    if isinstance(value, bool):
        return False
    if default is None:
        return value is None or isinstance(value, int)
    return isinstance(value, int | float) if isinstance(default, float) else isinstance(value, type(default))
