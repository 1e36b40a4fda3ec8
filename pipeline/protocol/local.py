"""Supervisors that live in the leader's own process and share what it knows."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipeline.logic.objects import Birth
from pipeline.protocol import keys
from pipeline.protocol.supervising import Life, supervise
from pipeline.protocol.worker import Worker

if TYPE_CHECKING:
    from pipeline.protocol.leading import Leader


class LocalHirer:
    """Starts supervisors as coroutines of this event loop."""

    is_local = True

    def __init__(self, leader: Leader) -> None:
        self._leader = leader

    def start(self, birth: Birth) -> asyncio.Task[Life]:
        """Start a supervisor."""
        leader = self._leader
        worker = Worker(
            run=leader.run,
            birth=birth,
            plan=leader.plan,
            view=leader.view,
            store=leader.store,
            journal=leader.store.store.journal(keys.journal(leader.run, birth.worker)),
            launcher=leader.launcher,
            clock=leader.clock,
            emit=leader.emit,
            limits=leader.limits,
            orders=leader.orders,
        )
        return asyncio.get_running_loop().create_task(supervise(worker))

    async def dismiss(self, workers: Sequence[str], *, kindly: bool) -> None:
        """Nothing to do: they hear the leader's orders."""

    async def let_go(self) -> None:
        """Nothing to do: they are the leader's own tasks."""
