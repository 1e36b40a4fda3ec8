"""Orders that reach a worker elsewhere by way of the store: the leader writes one for a worker, which looks for it.

A worker's name is used once, so an order never has to be taken back. Claims and verdicts do not depend on orders.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from pipeline.errors import StoreDamaged, StoreUnavailable
from pipeline.logic.objects import Order, from_bytes, to_bytes
from pipeline.model.plans import Plan
from pipeline.ports import Clock, Store
from pipeline.protocol import keys
from pipeline.protocol.orders import Orders

OVER, STOP = "over", "stop"


async def give_orders(store: Store, run: str, plan: Plan, workers: Iterable[str], what: str) -> None:
    """Tell workers; one try each, because an order spares waiting and nothing else."""

    async def tell(worker: str) -> None:
        try:
            await store.replace(keys.order(run, worker), to_bytes(Order(worker=worker, plan=plan.digest, what=what)))
        except StoreUnavailable:
            pass

    await asyncio.gather(*(tell(worker) for worker in workers))


class HeardOrders(Orders):
    """Orders of a worker that lives apart from its leader."""

    def __init__(self, store: Store, run: str, worker: str) -> None:
        super().__init__()
        self._store, self._run, self._worker = store, run, worker

    async def pause(self, clock: Clock, seconds: float) -> None:
        """Wait for that long, then look whether there is an order."""
        await super().pause(clock, seconds)
        await self.look()

    async def look_for_ever(self, clock: Clock, seconds: float) -> None:
        """Look now and then, for a worker that is busy."""
        while not self.is_stopped.is_set():
            await clock.sleep(seconds)
            await self.look()

    async def look(self) -> None:
        """Take the order that stands, if any."""
        try:
            data = await self._store.read(keys.order(self._run, self._worker))
            what = "" if data is None else from_bytes(Order, data).what
        except (StoreUnavailable, StoreDamaged):
            return
        if what:
            self.is_over = True
            self.wake()
        if what == STOP:
            self.is_stopped.set()
