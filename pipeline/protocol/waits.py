"""Why workers elsewhere are not born yet: told within seconds, once for each reason, and known to be no loss.

A launcher whose engine tells is asked from time to time; that costs no request. It must not know what the reasons are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from attrs import define, field

from pipeline.model.events import Notice, WorkerWaiting
from pipeline.ports.places import Hiring, Telling, Waiting
from pipeline.protocol.budgets import names

if TYPE_CHECKING:
    from pipeline.protocol.leading import Leader

LOOK_SECONDS = 0.5
SHARE = 50
"""A look's own time, that many times, passes before the next: of many workers each is looked at more seldom."""
STEADY_LOOKS = 2
"""In a row with one reason, before it is told: some pass at once."""
AGAIN_SECONDS = 60.0
"""Before a reason that was told for some workers is told again for others."""


@define(eq=False)
class Wait:
    """What one worker waits for."""

    hiring: Hiring
    give_up: Callable[[Waiting], None]
    """Called once when waiting cannot help any more."""
    waiting: Waiting | None = None
    since: float = 0.0
    looks: int = 0
    told: str = ""
    """The reason that was told last."""


@define(eq=False)
class Waits:
    """Looks for one leader."""

    leader: Leader
    places: Telling
    waits: dict[str, Wait] = field(factory=dict)
    _told: dict[str, float] = field(factory=dict)
    """When each reason was told last."""
    _looking: asyncio.Task[None] | None = None

    def begin(self, hiring: Hiring, give_up: Callable[[Waiting], None]) -> None:
        """Look at a worker until it is born, or `end` is called."""
        self.waits[hiring.worker] = Wait(hiring, give_up, since=self.leader.clock.monotonic())
        if self._looking is None or self._looking.done():
            self._looking = asyncio.ensure_future(self._look_on())

    def end(self, worker: str) -> None:
        """It has ended, or been given up."""
        self.waits.pop(worker, None)

    def close(self) -> None:
        """Look no more."""
        if self._looking is not None:
            self._looking.cancel()

    def known(self) -> set[str]:
        """Workers that are known to wait: nobody may take them for lost."""
        return {name for name, wait in self.waits.items() if is_known_to_wait(wait.waiting)}

    async def _look_on(self) -> None:
        while self.waits:
            begun = self.leader.clock.monotonic()
            self.look()
            await self.leader.clock.sleep(max(LOOK_SECONDS, SHARE * (self.leader.clock.monotonic() - begun)))

    def look(self) -> None:
        """Ask about everybody once, tell what is new, give up whom waiting does not help."""
        living = set(self.leader.living)
        for name in [name for name in self.waits if name in living or name in self.leader.view.tombs]:
            self.end(name)
        for wait in list(self.waits.values()):
            self._ask(wait)
        self._tell([wait for wait in self.waits.values() if wait.looks >= STEADY_LOOKS])
        for name, wait in list(self.waits.items()):
            if wait.waiting is not None and self._is_hopeless(wait.waiting, wait.since):
                self.end(name)
                wait.give_up(wait.waiting)

    def _ask(self, wait: Wait) -> None:
        now, before = self.leader.clock.monotonic(), wait.waiting
        wait.waiting = self.places.waiting(wait.hiring)
        if (wait.waiting is None) != (before is None) or (
            wait.waiting is not None and before is not None and _kind(wait.waiting) != _kind(before)
        ):
            wait.since, wait.looks = now, 0
        wait.looks += 1

    def _is_hopeless(self, waiting: Waiting, since: float) -> bool:
        if waiting.hopeless_after is None:
            return False
        return self.leader.clock.monotonic() - since >= max(waiting.hopeless_after, LOOK_SECONDS)

    def _tell(self, steady: list[Wait]) -> None:
        news: dict[str, list[Wait]] = {}
        for wait in steady:
            reason = wait.waiting.reason if wait.waiting is not None else ""
            if wait.told != reason:
                wait.told = reason
                self._show(wait)
                if wait.waiting is not None and not wait.waiting.is_ordinary:
                    news.setdefault(reason, []).append(wait)
        for reason, some in news.items():
            self._explain(reason, some)

    def _show(self, wait: Wait) -> None:
        hiring, waiting = wait.hiring, wait.waiting
        self.leader.emit(
            WorkerWaiting(
                time=self.leader.clock.wall(),
                worker=hiring.worker,
                slot=hiring.slot,
                reason=waiting.reason if waiting is not None else "",
                text=waiting.text if waiting is not None else "",
            )
        )

    def _explain(self, reason: str, some: list[Wait]) -> None:
        now = self.leader.clock.monotonic()
        if now - self._told.get(reason, float("-inf")) < AGAIN_SECONDS:
            return
        self._told[reason] = now
        first, who = some[0].waiting, names(wait.hiring.worker for wait in some)
        text = f"{who} {'waits' if len(some) == 1 else 'wait'}: {first.text if first is not None else ''}"
        self.leader.emit(Notice(time=self.leader.clock.wall(), level="warning", text=text))


def is_known_to_wait(waiting: Waiting | None) -> bool:
    """Whether a worker's birth is not to be expected now."""
    return waiting is not None


def _kind(waiting: Waiting) -> tuple[str, float | None]:
    """Texts count and name pods; what stays while nothing changes is this."""
    return waiting.reason, waiting.hopeless_after
