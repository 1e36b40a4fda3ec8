"""Supervisors that live in the leader's own process and share what it knows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from pipeline.logic.objects import Birth
from pipeline.protocol import keys
from pipeline.protocol.mandate import Joining
from pipeline.protocol.supervising import Life, supervise
from pipeline.protocol.worker import Worker

if TYPE_CHECKING:
    from pipeline.protocol.leading import Leader


class LocalHirer:
    """Starts supervisors as coroutines of this event loop."""

    is_local = True
    fails_by_slot = False

    def __init__(self, leader: Leader) -> None:
        self._leader = leader
        self._at_work: set[str] = set()
        """Those that have not sent home what they leave, where that is done."""
        self._of_place: dict[str, set[str]] = {}
        """The same by machine, where tests run on others."""
        self._workers: dict[str, Worker] = {}
        """Those that have not ended."""

    def start(self, birth: Birth) -> asyncio.Task[Life]:
        """Start a supervisor."""
        joining = self._leader.joining
        self._at_work.add(birth.worker)
        task = self._supervise(birth, partial(self._part, birth.worker, joining) if joining is not None else None)
        task.add_done_callback(lambda _: self._at_work.discard(birth.worker))
        return task

    def _supervise(self, birth: Birth, parting: Callable[[], Coroutine[Any, Any, None]] | None) -> asyncio.Task[Life]:
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
            parting=parting,
            seating=leader.seating,
            rooms=leader.rooms,
        )
        worker.foreign = leader.share.foreign
        self._workers[birth.worker] = worker
        task = asyncio.get_running_loop().create_task(supervise(worker))
        task.add_done_callback(lambda _: self._workers.pop(birth.worker, None))
        return task

    async def _part(self, worker: str, joining: Joining) -> None:
        """All work in one checkout: the last one sends for all, when nobody writes there any more."""
        self._at_work.discard(worker)
        if not self._at_work:
            await joining.parting(worker)

    async def dismiss(self, workers: Sequence[str], *, kindly: bool) -> None:
        """Nothing to do: they hear the leader's orders."""

    def waiting(self) -> Collection[str]:
        """None: they are born at once."""
        return ()

    def closed(self) -> Mapping[int, str]:
        """None: this machine is here."""
        return {}

    async def keep_stories(self) -> None:
        """Nothing: their places are this process."""

    async def let_go(self) -> None:
        """Nothing to do: they are the leader's own tasks."""
