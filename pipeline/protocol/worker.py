"""What the parts of one supervisor share: who it is, its ports, its journal. No rule is in here but the journal's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine
from typing import TYPE_CHECKING, Any

from pipeline.errors import Fenced
from pipeline.logic.objects import Birth
from pipeline.logic.records import NOBODY, write_record
from pipeline.model.events import Notice
from pipeline.model.plans import Plan
from pipeline.ports import Clock, Emit, Journal, Launcher
from pipeline.protocol.certain import CertainStore
from pipeline.protocol.limits import Limits
from pipeline.protocol.orders import Orders
from pipeline.protocol.view import RunView, exclusive_wait_seconds

if TYPE_CHECKING:
    from pipeline.logic.placement.seating import Seating
    from pipeline.protocol.rooms import Rooms
    from pipeline.protocol.sessions import Session


class Worker:
    """One supervisor's identity and tools."""

    def __init__(
        self,
        *,
        run: str,
        birth: Birth,
        plan: Plan,
        view: RunView,
        store: CertainStore,
        journal: Journal,
        launcher: Launcher,
        clock: Clock,
        emit: Emit,
        limits: Limits,
        orders: Orders,
        parting: Callable[[], Coroutine[Any, Any, None]] | None = None,
        seating: Seating | None = None,
        rooms: Rooms | None = None,
    ) -> None:
        self.run, self.birth, self.plan, self.view = run, birth, plan, view
        self.store, self.journal, self.launcher, self.clock = store, journal, launcher, clock
        self.emit, self.limits, self.orders = emit, limits, orders
        self.parting = parting
        """Done when the harness has ended, before the tombstone: what is to come home is sent then."""
        self.seating, self.rooms = seating, rooms
        """Which batches its queue may run, and the budgets of its host, where there are such."""
        self.name = birth.worker
        self.born = clock.monotonic()
        self.session: Session | None = None
        self.unfinished: set[tuple[int, int]] = set()
        """(batch, attempt) of claims that it has made, or may have made, and whose tests have no final records yet."""
        self.foreign: Collection[int] = frozenset()
        """Batches that are never its own to claim."""
        self.draining = asyncio.Event()
        """It begins nothing more, and ends behind the test that runs."""
        self._unproven_at: float | None = None
        self.linger_seconds = float("inf")
        """How long it waits for work that others may give up."""
        self.finished = 0
        self.failed_starts = 0
        self._is_dirty = False
        self._flushing = asyncio.Lock()
        self.record("head", NOBODY, NOBODY, NOBODY, {"plan": plan.digest, "worker": birth.worker, "nonce": birth.nonce})

    @property
    def has_unproven_end(self) -> bool:
        """Whether some harness of this worker may still be alive: then its own tombstone gives no proof."""
        return self._unproven_at is not None

    def note_unproven_end(self) -> None:
        """A harness has been given up whose death nobody has seen."""
        self._unproven_at = self.clock.monotonic()

    def haunted_seconds(self) -> float:
        """How long something of its last harnesses may still live: until their permission has ended for certain."""
        if self._unproven_at is None:
            return 0.0
        return max(0.0, self._unproven_at + exclusive_wait_seconds(self.limits.lease_seconds) - self.clock.monotonic())

    def record(self, kind: str, batch: int, attempt: int, test: int, body: dict[str, Any]) -> None:
        """Append to the journal; durable after the next `flush`."""
        self.journal.append(write_record(kind, batch, attempt, test, body))
        self._is_dirty = True

    async def flush(self) -> None:
        """Make all records durable. Raises `Fenced`. A cancelled caller does not tear the flush."""
        if self._is_dirty:
            flush = asyncio.ensure_future(self._flush())
            flush.add_done_callback(_see_error)
            await asyncio.shield(flush)

    async def _flush(self) -> None:
        async with self._flushing:
            self._is_dirty = False
            try:
                await self.store.flush(self.journal)
            except Fenced:
                raise
            except BaseException:
                self._is_dirty = True
                raise

    async def flush_for_ever(self) -> None:
        """Flush now and then, until cancelled or fenced."""
        while True:
            await self.clock.sleep(self.limits.flush_seconds)
            await self.flush()

    def notice(self, level: str, text: str) -> None:
        """Tell a person."""
        self.emit(Notice(time=self.clock.wall(), level=level, text=f"{self.name}: {text}"))


def _see_error(task: asyncio.Task[None]) -> None:
    """Keep the error of a flush whose caller is gone from being reported as nobody's."""
    if not task.cancelled():
        task.exception()
