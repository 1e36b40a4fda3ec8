"""An agent's sign that it lives, for those who may sweep: it may pull images or wait for places before any worker is born.

Nothing of the protocol rests on it, and whoever leads knows nothing of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pipeline.errors import FleetError
from pipeline.ports import Clock, Store
from pipeline.protocol import keys

LAST_SECONDS = 1.0
"""For taking the sign away: a store that does not answer must not hold up an agent that was asked to stop."""


@asynccontextmanager
async def sign_of_life(
    store: Store, clock: Clock, run: str, *, nonce: str, every_seconds: float
) -> AsyncIterator[None]:
    """While inside, the run is not taken for abandoned. Raises nothing for what the store does."""
    key = keys.sign(run, nonce)
    await _sign(store, key, nonce)
    signing = asyncio.ensure_future(_sign_for_ever(store, clock, key, nonce, every_seconds))
    try:
        yield
    finally:
        signing.cancel()
        await asyncio.gather(signing, return_exceptions=True)
        try:
            await asyncio.wait_for(store.delete(key), LAST_SECONDS)
        except (FleetError, TimeoutError):
            pass  # It is silent from now on, and goes with the run.


async def _sign_for_ever(store: Store, clock: Clock, key: str, nonce: str, every_seconds: float) -> None:
    while True:
        await clock.sleep(every_seconds)
        await _sign(store, key, nonce)


async def _sign(store: Store, key: str, nonce: str) -> None:
    try:
        await store.replace(key, nonce.encode("ascii"))
    except FleetError:
        pass  # The next one tells.
