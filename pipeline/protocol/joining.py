"""One run for many agents that know of each other only its name: what it is about, and who has told its result.

The first announces what it is about; whoever is about anything else must not join. It must not know what that means.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pipeline.errors import StoreDamaged
from pipeline.logic.objects import Birth, Closed, Told, from_bytes, to_bytes
from pipeline.ports import Clock, Store
from pipeline.protocol import keys
from pipeline.protocol.certain import CertainStore
from pipeline.protocol.limits import Limits
from pipeline.protocol.terms import read_terms

Announced = Mapping[str, Any]
"""Plain JSON, the same wherever the inputs are the same."""


async def announce(store: Store, clock: Clock, run: str, inputs: Announced) -> Announced:
    """Say what the run is about, or hear what was said; what stands. Raises `StoreDamaged`."""
    certain = CertainStore(store, clock)
    data = json.dumps(inputs, sort_keys=True, separators=(",", ":")).encode("ascii")
    if await certain.create(keys.inputs(run), data):
        return inputs
    return _read(run, await certain.read(keys.inputs(run)) or b"")


async def read_announced(store: Store, clock: Clock, run: str) -> Announced | None:
    """What the run is about, if that was said. Raises `StoreDamaged`."""
    standing = await CertainStore(store, clock).read(keys.inputs(run))
    return None if standing is None else _read(run, standing)


def _read(run: str, standing: bytes) -> Announced:
    try:
        found = json.loads(standing)
        if not isinstance(found, dict):
            raise ValueError("it is no object")
        return found
    except (ValueError, RecursionError) as error:
        raise StoreDamaged(f"inputs of run {run!r} in the store are damaged: {error}") from error


async def read_closed(store: Store, clock: Clock, run: str) -> Closed | None:
    """The merged result, if the run is closed. Raises `StoreDamaged`."""
    data = await CertainStore(store, clock).read(keys.closed(run))
    return None if data is None else from_bytes(Closed, data)


async def read_told(store: Store, clock: Clock, run: str) -> Told | None:
    """Who has told the result, if anybody has. Raises `StoreDamaged`."""
    data = await CertainStore(store, clock).read(keys.told(run))
    return None if data is None else from_bytes(Told, data)


async def wait_for_told(store: Store, clock: Clock, run: str, limits: Limits) -> Told | None:
    """Who has told the result of a closed run; None when nobody does for longer than that takes: whoever was to, is gone."""
    certain = CertainStore(store, clock, limits.retry_seconds, limits.outage_seconds)
    until = clock.monotonic() + limits.linger_seconds
    while True:
        data = await certain.read(keys.told(run))
        if data is not None:
            return from_bytes(Told, data)
        if clock.monotonic() >= until:
            return None
        await clock.sleep(max(limits.hear_seconds, limits.watch_seconds))


async def tell(store: Store, clock: Clock, run: str, told: Told) -> None:
    """Say that the result has been told. The first one stands."""
    await CertainStore(store, clock).create(keys.told(run), to_bytes(told))


async def others_at_work(store: Store, clock: Clock, run: str) -> list[str]:
    """Places of agents that have not left, for people: those that are gone are among them. Raises `StoreDamaged`."""
    certain = CertainStore(store, clock)
    left = {int(keys.last(entry.key)) for entry in await certain.list(keys.leaves(run))}
    return [each.place for each in await read_terms(certain, run) if each.term not in left]


async def roots(store: Store, clock: Clock, run: str) -> list[str]:
    """Folders in which the project lay where workers of the run were, each once. Raises `StoreDamaged`."""
    certain = CertainStore(store, clock)
    found = [await certain.read(entry.key) for entry in await certain.list(keys.workers(run))]
    births = [from_bytes(Birth, data) for data in found if data is not None]
    return list(dict.fromkeys(str(birth.identity["root"]) for birth in births if "root" in birth.identity))
