"""The end of a leader's work: why it ends, how its workers are let go, whether the run is closed or left open.

An ending is begun before workers are waited for: those elsewhere learn of it only through the store. Nobody is waited for
for ever; whoever is silent is sealed by the close.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from pipeline.errors import EXIT_GOOD, EXIT_TESTS_FAILED, EXIT_UNTRUSTWORTHY, StoreUnavailable
from pipeline.logic.merging import FAIL_FAST
from pipeline.logic.objects import Closed, from_bytes
from pipeline.model.events import Notice, RunClosed
from pipeline.model.runs import MergedRun
from pipeline.protocol import keys
from pipeline.protocol.closing import COMPLETE, Closer, begin_ending, close, is_closed, mark_mixed
from pipeline.protocol.gathering import gather
from pipeline.protocol.leaving import Leaving
from pipeline.protocol.orders import first_of

if TYPE_CHECKING:
    from pipeline.protocol.leading import Leader

ENDING = "ending"
"""Another agent has begun to close, or has closed."""
ENGINE_FAILED = "engine failed"
SHARE_DONE = "this host's share is done; others carry on"
LEFT = "left"
"""There is nothing to do here; others carry on."""


@frozen(kw_only=True)
class Ending:
    """How the leader's work ended."""

    merged: MergedRun
    closed: bool
    """Whether the run is over; if not, the same command goes on with it."""
    exit_code: int
    reason: str = ""
    """Why it ended, for people."""
    is_closer: bool = False
    """Whether it is this leader's result that stands."""
    term: int = 0
    """The leader's own."""


class Finisher:
    """Ends one leader's work."""

    def __init__(self, leader: Leader) -> None:
        self._leader = leader
        self._leaving = Leaving(leader)

    async def reason(self) -> str:
        """Why the work ends now; empty: it goes on."""
        leader = self._leader
        if leader.stop.count:
            return "stopped"
        if leader.view.ending or await self._is_closed_by_others():
            return ENDING
        if leader.fails_fast():
            return FAIL_FAST
        if leader.view.progress.is_complete:
            return COMPLETE
        limit = leader.limits.run_timeout_seconds
        if limit is not None and leader.age() >= limit:
            return "run timed out"
        if leader.cannot_go_on():
            return ENGINE_FAILED
        spent = leader.budgets.spent(leader.term, leader.limits)
        if spent:
            return f"budget spent: {spent}"
        if leader.share.is_done(leader.view.progress):
            return SHARE_DONE
        return LEFT if await self._leaving.may_leave() else ""

    async def _is_closed_by_others(self) -> bool:
        leader = self._leader
        return leader.has_just_watched() and await is_closed(leader.store, leader.run)

    async def end(self, reason: str) -> Ending | None:
        """End for that reason; None: the run goes on after all."""
        if reason in (COMPLETE, FAIL_FAST, ENDING):
            return await self._close(reason)
        if reason == LEFT:
            await self._dismiss(kindly=True, elsewhere=self._own_elsewhere)
            await self._look_at_sources()
            merged = MergedRun(run=self._leader.run, plan=self._leader.plan.digest)
            return Ending(merged=merged, closed=False, exit_code=EXIT_GOOD, reason=LEFT)
        if reason == SHARE_DONE:
            return await self._leave_to_others()
        if reason != "stopped" or self._leader.stop.count == 1:
            leads = await self._leads()
            await self._dismiss(kindly=False, elsewhere=self._all_elsewhere if leads else self._own_elsewhere)
        return await self._leave_open(reason)

    async def _leave_to_others(self) -> Ending | None:
        """All that is this host's is done and durable; of hosts that end at once the later one sees all, and closes."""
        leader = self._leader
        await self._dismiss(kindly=True, elsewhere=self._own_elsewhere)
        if leader.view.progress.is_complete:
            return await self._close(COMPLETE)
        await self._look_at_sources()
        merged = await gather(leader.store, leader.run, leader.plan)
        own = {
            test for batch in leader.plan.batches if batch.number not in leader.share.foreign for test in batch.tests
        }
        names = {leader.plan.tests[test].id for test in own}
        bad = sum(one.result.verdict.is_bad for one in merged.outcomes if one.result.test in names)
        code = EXIT_TESTS_FAILED if bad else EXIT_GOOD
        reason = f"{SHARE_DONE}: {len(names)} tests, {bad} of them bad"
        leader.emit(Notice(time=leader.clock.wall(), level="info", text=f"run {leader.run!r}: {reason}"))
        return self._tell(evolve(merged, reason=reason), closed=False, exit_code=code, reason=reason)

    async def _close(self, reason: str) -> Ending | None:
        leader = self._leader
        closer, stated = self._closer(), COMPLETE if reason == ENDING else reason
        ending, _ = await begin_ending(closer, reason=stated, errors=leader.errors)
        if not leader.hirer.is_local:
            await leader.watch()  # Who was born since the last look may have done all, and has something to send home.
        await self._dismiss(kindly=ending.reason == COMPLETE, elsewhere=self._all_elsewhere)
        await self._look_at_sources()
        await leader.hirer.keep_stories()
        merged = await close(closer, reason=stated, errors=leader.errors)
        if merged is None:
            await leader.go_on()
            return None
        if merged.mixed:
            leader.notice("sources changed while the run went on: its result is shown, but nothing is up to date by it")
        told = self._tell(merged, closed=True, exit_code=merged.exit_code, reason=merged.reason)
        return evolve(told, is_closer=await self._has_closed())

    def _closer(self) -> Closer:
        leader = self._leader
        return Closer(leader.run, leader.plan, leader.store, leader.clock, leader.nonce, f"term {leader.term}")

    async def _look_at_sources(self) -> None:
        """Whether they are what the run was named by, now that no worker here runs tests; others learn of it, too."""
        if is_mixed(self._leader.sources_unchanged):
            await mark_mixed(self._closer())

    async def _dismiss(self, *, kindly: bool, elsewhere: Callable[[], list[str]]) -> None:
        """Let workers finish their harnesses, or stop them; a signal cuts this short.

        Those `elsewhere` are waited for until they have a tombstone, but not longer than an orderly end, as
        long again for what they send home, and one lease.
        """
        leader, limits = self._leader, self._leader.limits
        leader.orders.is_over = True
        if not kindly:
            leader.orders.is_stopped.set()
        leader.orders.wake()
        count, begun = leader.stop.count, leader.clock.monotonic()
        span = 2 * (limits.finish_seconds if kindly else limits.stop_seconds) + limits.lease_seconds
        telling = asyncio.ensure_future(leader.hirer.dismiss(elsewhere(), kindly=kindly))
        while leader.stop.count == count:
            leader.news.clear()
            age = leader.clock.monotonic() - begun
            here = leader.hirer.is_local and any(not task.done() for task in leader.crew.tasks)
            if elsewhere():
                await leader.watch()
            waits = here and age < limits.finish_seconds + 2 * limits.lease_seconds
            if not waits and not (elsewhere() and age < span):
                break
            await first_of(leader.news, leader.clock, limits.hear_seconds if elsewhere() else limits.watch_seconds)
        telling.cancel()
        leader.reap()
        await self._hear_last_words()

    async def _has_closed(self) -> bool:
        """Whether it was this leader that closed: of several that did so at once, the first."""
        leader = self._leader
        data = await leader.store.read(keys.closed(leader.run))
        return data is not None and from_bytes(Closed, data).nonce == leader.nonce

    def _all_elsewhere(self) -> list[str]:
        """Living workers elsewhere, whoever hired them: all can see the ending."""
        leader = self._leader
        return [name for name in leader.living if not leader.is_own(name) and name not in leader.view.tombs]

    def _own_elsewhere(self) -> list[str]:
        """Living workers elsewhere that this leader hired: all that a stale leader may touch."""
        return [name for name in self._all_elsewhere() if self._leader.crew.holds(name)]

    async def _hear_last_words(self) -> None:
        try:
            await self._leader.hearer.hear()
        except StoreUnavailable:
            pass  # Told too little, counted all the same.

    async def _leads(self) -> bool:
        """Whether this term is the newest, as far as can be known now. Of agents side by side none leads the others."""
        leader = self._leader
        if leader.joining is not None:
            return False
        try:
            entries = await leader.store.store.list(keys.agents(leader.run))
        except StoreUnavailable:
            return False
        return max((int(keys.last(entry.key)) for entry in entries), default=0) == leader.term

    async def _leave_open(self, reason: str) -> Ending:
        leader = self._leader
        await self._look_at_sources()
        await leader.hirer.keep_stories()
        merged = await gather(leader.store, leader.run, leader.plan)
        code = 128 + leader.stop.signal_number if leader.stop.count else EXIT_UNTRUSTWORTHY
        if reason == ENGINE_FAILED:
            reason = f"{reason}: {leader.why_not()}"
        return self._tell(evolve(merged, reason=reason), closed=False, exit_code=code, reason=reason)

    def _tell(self, merged: MergedRun, *, closed: bool, exit_code: int, reason: str) -> Ending:
        leader = self._leader
        leader.emit(
            RunClosed(
                time=leader.clock.wall(),
                run=leader.run,
                exit_code=exit_code,
                counts=merged.counts,
                missing=tuple(test for test, _ in merged.missing),
                seconds=round(leader.age(), 3),
                open=not closed,
                reason=reason,
            )
        )
        return Ending(merged=merged, closed=closed, exit_code=exit_code, reason=reason, term=leader.term)


def is_mixed(sources_unchanged: Callable[[], bool]) -> bool:
    """Whether sources are not what the run was named by: asked again when an agent ends."""
    return not sources_unchanged()
