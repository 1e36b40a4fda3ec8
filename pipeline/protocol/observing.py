"""Watch all heartbeats and bury workers that are gone: at once with proof, else after a lease of silence.

It must not decide whether others take their place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from attrs import frozen

from pipeline.errors import StoreUnavailable
from pipeline.logic.objects import DISRUPTIONS, ORDERLY, Birth, Claim, Tomb
from pipeline.logic.records import Record, read_label, read_record, write_record
from pipeline.logic.silence import Sight, is_dead, look
from pipeline.logic.trails import Attempt, Trail, follow
from pipeline.model.messages import Message
from pipeline.model.plans import Plan
from pipeline.ports import Clock, Entry, Launcher, Remains
from pipeline.ports.places import Telling
from pipeline.protocol import keys
from pipeline.protocol.certain import CertainStore
from pipeline.protocol.tombs import bury
from pipeline.protocol.view import HARMLESS, RunView, is_released

LOOKS_PER_LEASE = 10
"""Well more than beats, so that a slow answer makes no gap."""


@frozen(kw_only=True)
class Observer:
    """Ports of whoever watches."""

    run: str
    plan: Plan
    store: CertainStore
    launcher: Launcher
    clock: Clock
    view: RunView
    lease_seconds: float
    nonce: str
    by: str
    sights: dict[str, Sight]
    watched: list[str]
    """Workers without a tombstone, as far as known."""
    asked: set[str]
    """Workers whose leftovers have been asked for once without proof."""

    async def watch(self, is_mine: Callable[[str], bool]) -> tuple[list[str], list[Tomb]]:
        """Bury who is gone: (workers that live, tombs written now)."""
        births = [keys.last(entry.key) for entry in await self.store.list(keys.workers(self.run))]
        living = [name for name in births if not is_released(self.view.tombs.get(name))]
        self.watched[:] = living
        tombs = []
        for name in living:
            tomb = await self._try_to_bury(name, is_mine=is_mine(name))
            if tomb is not None:
                tombs.append(tomb)
        return [name for name in living if name not in {tomb.worker for tomb in tombs}], tombs

    async def look_for_ever(self) -> None:
        """Read all heartbeats with one listing, again and again; other work must not come between two reads."""
        while True:
            await self.look_once()
            await self.clock.sleep(self.lease_seconds / LOOKS_PER_LEASE)

    async def look_once(self) -> None:
        """Read all heartbeats. A read that fails says nothing."""
        sent = self.clock.monotonic()
        try:
            beats = await self.store.store.list(keys.beats(self.run))
        except StoreUnavailable:
            return
        self._look(beats, sent, self.clock.monotonic())

    def _look(self, beats: Sequence[Entry], sent: float, answered: float) -> None:
        versions = {keys.last(entry.key): entry.version for entry in beats}
        for name in self.watched:
            self.sights[name] = look(
                self.sights.get(name),
                versions.get(name, ""),
                sent=sent,
                answered=answered,
                lease_seconds=self.lease_seconds,
            )

    async def _try_to_bury(self, worker: str, *, is_mine: bool) -> Tomb | None:
        sight = self.sights.get(worker)
        is_silent = sight is not None and is_dead(sight, self.lease_seconds)
        if is_mine and not is_silent:
            return None
        if is_silent or worker not in self.asked:
            self.asked.add(worker)
            return await self.bury_dead(worker, cause="silent", is_silent=is_silent)
        return None

    async def bury_dead(self, worker: str, *, cause: str, is_silent: bool) -> Tomb | None:
        """Bury a worker with what its harness still held; without proof only when it has been silent.

        `cause` stands where the launcher can not tell why it died.
        """
        birth = await self.view.read_birth(worker)
        remains = await self.ask(birth) if birth is not None else None
        if remains is None and not is_silent:
            return None
        return await bury(
            self.store,
            self.run,
            worker,
            plan=self.plan.digest,
            by=self.by,
            nonce=self.nonce,
            cause=cause_of(remains) or await self._befallen(birth) or cause,
            proof=is_proof(remains),
            detail=remains.detail if remains is not None else "",
            salvaged=await self._salvaged(birth, remains.messages) if birth is not None and remains else (),
            wall=self.clock.wall(),
        )

    async def _befallen(self, birth: Birth | None) -> str:
        """What a place's engine says has befallen it, without proof of its worker's death: `node-lost`; or nothing."""
        if birth is None or not isinstance(self.launcher, Telling):
            return ""
        story = await self.launcher.story(birth.identity)
        return story.disruption if story is not None and story.disruption in DISRUPTIONS else ""

    async def ask(self, birth: Birth) -> Remains | None:
        """What the launcher knows of that worker's death."""
        return await self.launcher.salvage(birth.identity)

    async def _salvaged(self, birth: Birth, messages: Sequence[Message]) -> list[bytes]:
        """Turn messages into records, as far as the journal does not tell the test's end already."""
        if not messages:
            return []
        await self.view.refresh()
        trails = await self._trails(birth.worker)
        parts = {(*attempt, part): tests for attempt, trail in trails.items() for part, tests in trail.parts.items()}
        told = [await self._record(birth, message, parts) for message in messages]
        return [record for record in told if record is not None and not _is_final(read_record(record), trails)]

    async def _record(
        self, birth: Birth, message: Message, parts: dict[tuple[int, int, int], tuple[int, ...]]
    ) -> bytes | None:
        say = message.get("say")
        if say != "start" and not (say == "result" and message.get("final")):
            return None
        try:
            batch, attempt, part = read_label(str(message.get("batch")))
        except ValueError:
            return None
        if (batch, attempt, part) not in parts:
            claim = await self._claim(batch, attempt)
            parts[batch, attempt, part] = (
                claim.tests if claim is not None and claim.worker == birth.worker and part == 0 else ()
            )
        tests, i = parts[batch, attempt, part], message.get("i")
        if type(i) is not int or not 0 <= i < len(tests):
            return None
        body = message.get("result") if say == "result" else {}
        return write_record(
            "final" if say == "result" else "start", batch, attempt, tests[i], body if isinstance(body, dict) else {}
        )

    async def _claim(self, batch: int, attempt: int) -> Claim | None:
        if not 0 <= batch < len(self.plan.batches):
            return None
        return await self.view.read_claim(batch, attempt)

    async def _trails(self, worker: str) -> dict[Attempt, Trail]:
        return follow(worker, await self.store.records(keys.journal(self.run, worker), None))


def is_proof(remains: Remains | None) -> bool:
    """Whether nothing of a worker can live: its launcher says so. Silence never does."""
    return remains is not None


def cause_of(remains: Remains | None) -> str:
    """Why a worker died, as its launcher has proof of it; empty: that is not known.

    Never one that is called orderly or harmless: a worker that ended so writes its own tombstone.
    """
    cause = remains.cause if remains is not None else ""
    return "exited" if cause in ORDERLY | HARMLESS else cause


def _is_final(record: Record, trails: Mapping[Attempt, Trail]) -> bool:
    trail = trails.get((record.batch, record.attempt))
    return trail is not None and record.test in trail.finals
