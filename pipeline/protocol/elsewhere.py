"""A supervisor far from its leader: orders reach it only through the store, in the shape of an ending.

The entry program of a container calls `supervise_elsewhere`; a signal handler of it sets `worker.orders.is_stopped`.
"""

from __future__ import annotations

import asyncio

from pipeline.errors import FleetError
from pipeline.protocol.closing import COMPLETE
from pipeline.protocol.gathering import read_ending
from pipeline.protocol.supervising import Life, supervise
from pipeline.protocol.worker import Worker


async def supervise_elsewhere(worker: Worker) -> Life:
    """Live as any supervisor does, and heed endings while tests run; end for want of work, for nobody may be left to
    say that all is over. A leader that lives hires again when there is work."""
    worker.linger_seconds = worker.limits.linger_seconds
    heeding = asyncio.ensure_future(heed_for_ever(worker))
    try:
        return await supervise(worker)
    finally:
        heeding.cancel()
        await asyncio.gather(heeding, return_exceptions=True)


async def heed_for_ever(worker: Worker) -> None:
    """Look for an ending with every beat. An idle worker sees it sooner: it looks whenever it looks for work."""
    while not worker.orders.is_over:
        await worker.clock.sleep(worker.limits.beat_seconds)
        try:
            await heed(worker)
        except FleetError:
            continue  # A beat or a flush will tell.


async def heed(worker: Worker) -> None:
    """See whether an ending stands; one for another reason than that all is done stops what runs."""
    ending = await read_ending(worker.store, worker.run)
    if ending is None:
        return
    worker.orders.is_over = True
    if stops_at_once(ending.reason):
        worker.orders.is_stopped.set()
    worker.orders.wake()


def stops_at_once(reason: str) -> bool:
    """Whether tests in flight are not waited for."""
    return reason != COMPLETE
