"""`ports.History` in a store, by level of trust and branch: agents that live for one run only learn from each other.

A branch's knowledge is one object, `history/<level>/<branch>/<generation, 8 digits>`. Whoever learns reads the newest
generation, adds its run and creates the next; somebody else's means: read again. So no run is lost and nothing is torn,
however many agents end at once. `history/<level>/months/<month>/<branch>` says when a branch was learned from, so that
those of deleted branches go. Works through `ports.Store` alone.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final

from pipeline.errors import EngineError, FleetError, StoreDamaged
from pipeline.logic.artifact_records import check_level
from pipeline.logic.durations import KEEP_RUNS, Durations, Sample, from_bytes, is_valid, samples, to_bytes
from pipeline.model.runs import MergedRun
from pipeline.ports import Clock, History, Store
from pipeline.protocol.certain import CertainStore

TRUSTED: Final = "trusted"
KEEP_MONTHS: Final = 3
PATIENCE_SECONDS: Final = 20.0
TRIES: Final = 200
"""Each that fails means that another agent has learned something."""
DAY: Final = 86_400.0
_STANDING: Final = 2
"""Generations that are kept: a reader may have listed just before the newest came."""

Wait = Callable[[Coroutine[Any, Any, Any]], Any]


class StoreHistory:
    """Durations below `history/` in `store`, read with the eyes of one level of trust: trusted builds read trusted ones
    only, any other its own and these, and each writes its own.

    `older` is asked for what the store does not know. `wait` runs coroutines. `tell` is given notices for people:
    estimates that cannot be read cost balance, never the run. Learning raises `EngineError`.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        wait: Wait,
        tell: Callable[[str], None],
        level: str = TRUSTED,
        keep_runs: int = KEEP_RUNS,
        older: History | None = None,
    ) -> None:
        self._store = CertainStore(store, clock, patience_seconds=PATIENCE_SECONDS)
        self._clock, self._wait, self._tell, self._older = clock, wait, tell, older
        self._level, self._keep_runs = check_level(level), keep_runs
        self._known: dict[tuple[str, str], Durations] = {}
        """By (level, branch), as first read."""
        self._is_silent = False
        """Reading has failed: nobody waits for it again."""

    def estimates(self, suite: str, branches: Sequence[str]) -> dict[str, float]:
        """Seconds by test id; the first branch that knows a test decides. Empty when nothing can be read."""
        known = self._older.estimates(suite, branches) if self._older is not None else {}
        levels = dict.fromkeys((self._level, TRUSTED))
        for place in reversed([(level, branch) for branch in branches for level in levels]):
            known.update(self._read(*place).of_suite(suite))
        return known

    def learn(self, run: MergedRun, *, branch: str) -> None:
        """Take over a valid run's durations, once however often it is told; others are left out."""
        if is_valid(run):
            self._wait(self._learn(run.run, list(samples(run)), branch))
            self._known.pop((self._level, branch), None)

    def _read(self, level: str, branch: str) -> Durations:
        if self._is_silent:
            return Durations()
        if (level, branch) not in self._known:
            try:
                _, found = self._wait(self._newest(folder_of(level, branch)))
            except FleetError as error:
                self._fall_silent(error)
                return Durations()
            self._known[level, branch] = found
        return self._known[level, branch]

    def _fall_silent(self, error: FleetError) -> None:
        self._is_silent = True
        self._tell(f"durations of earlier runs cannot be read: {error.message}")

    async def _newest(self, folder: str) -> tuple[int, Durations]:
        """The newest generation and what it knows; a damaged one knows nothing."""
        while found := await self._store.list(folder):
            newest = found[-1].key
            data = await self._store.read(newest)
            if data is not None:
                return _number(newest), self._unpacked(data)
        return 0, Durations()

    def _unpacked(self, data: bytes) -> Durations:
        try:
            return from_bytes(data)
        except StoreDamaged as error:
            self._tell(f"{error.message}; it begins anew")
            return Durations()

    async def _learn(self, run: str, found: Sequence[Sample], branch: str) -> None:
        day, folder = int(self._clock.wall() // DAY), folder_of(self._level, branch)
        await self._mark(branch)
        for _ in range(TRIES):
            number, known = await self._newest(folder)
            if run in known.runs:
                return await self._clear(folder, number)
            known.learn(run, found, day=day, keep_runs=self._keep_runs)
            # Seen to stand afterwards: while this agent slept, others may have cleared what it wrote beside.
            await self._store.create(f"{folder}{number + 1:08d}", to_bytes(known))
        raise EngineError("durations could not be remembered: other agents were always faster")

    async def _clear(self, folder: str, newest: int) -> None:
        for entry in await self._store.list(folder):
            if _number(entry.key) <= newest - _STANDING:
                await self._store.delete(entry.key)

    async def _mark(self, branch: str) -> None:
        """Note that the branch lives this month; who is the first to do so removes branches that do not."""
        months = f"history/{self._level}/months/"
        wall = self._clock.wall()
        key = f"{months}{_month(wall)}/{name_of(branch)}"
        if await self._store.list(key) or not await self._store.create(key, b"1"):
            return
        last: dict[str, str] = {}
        for entry in await self._store.list(months):
            month, _, name = entry.key.removeprefix(months).partition("/")
            last[name] = max(last.get(name, ""), month)
            if month < _month(wall, KEEP_MONTHS):
                await self._store.delete(entry.key)
        for name in (name for name, month in last.items() if month < _month(wall, KEEP_MONTHS)):
            await self._store.delete(f"history/{self._level}/{name}/")


def folder_of(level: str, branch: str) -> str:
    """Where a branch's generations lie."""
    return f"history/{level}/{name_of(branch)}/"


def name_of(branch: str) -> str:
    """A branch in a key: for people as far as it goes, and a digest, because names may differ in case or slashes only."""
    plain = re.sub(r"[^A-Za-z0-9._-]", "-", branch)[:60].lstrip(".")
    return f"{plain}-{hashlib.sha256(branch.encode('utf-8', 'surrogateescape')).hexdigest()[:12]}"


def _number(key: str) -> int:
    last = key.rpartition("/")[2]
    return int(last) if last.isdecimal() else 0


def _month(wall: float, before: int = 0) -> str:
    told = time.gmtime(wall)
    year, month = divmod(told.tm_year * 12 + told.tm_mon - 1 - before, 12)
    return f"{year:04d}-{month + 1:02d}"
