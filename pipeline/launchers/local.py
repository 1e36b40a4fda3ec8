"""Workers as processes of this machine: `ports.Launcher` for `workers.launcher = "local"`.

A warm parent per suite forks a guarded harness for each slot. Knows neither plans nor stores.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import evolve

from pipeline.adapters import process_table
from pipeline.adapters.harness_birth import OUTBOX, Terms, bear_harness, read_last_words, read_note
from pipeline.adapters.harness_process import HarnessProcess
from pipeline.adapters.host_keeper import HostKeeper
from pipeline.adapters.zygote import Zygote
from pipeline.errors import EngineError
from pipeline.launchers.queues import WAIT_SECONDS, QueuePlace
from pipeline.model.suites import HarnessSpec
from pipeline.ports import Remains

MARK = "DOIT_FLEET_AGENT"
"""Environment variable of every process below a zygote: whose they are."""
WARM_SPAN_SECONDS = 600.0
"""A harness that only collects runs no test: nobody must renew it while files are collected and grouped."""


class LocalLauncher:
    """Harnesses for slots 0, 1, …; `close` leaves no process."""

    name = "local"

    def __init__(
        self,
        specs: Mapping[str, HarnessSpec],
        scratch: Path,
        *,
        slots: int,
        lease_seconds: float,
        zygote: bool = True,
        places: Sequence[QueuePlace] = (),
        finish_seconds: float = 5.0,
        term_seconds: float = 1.0,
    ) -> None:
        """`specs` by suite; `slots` is how many harnesses a framework may expect.

        `places` by slot: the queues that they are, if they are any; harnesses that only collect are in none.

        `zygote=False` starts a fresh interpreter for each harness instead of forking it from a warm one.

        When closing, a harness has `finish_seconds` to end in order, then `term_seconds` from TERM to KILL.
        """
        self._specs = dict(specs)
        self._slots = slots
        self._lease_seconds = lease_seconds
        self._shares_zygotes = zygote
        self._places = tuple(places)
        self._parting: set[asyncio.Task[None]] = set()
        self._finish_seconds = finish_seconds
        self._term_seconds = term_seconds
        self._pid, self._started = os.getpid(), process_table.start_time(os.getpid())
        self._boot = process_table.boot_id()
        self._folder = scratch.absolute() / f"agent-{self._pid}-{self._started}".replace(" ", "_")
        self._zygotes: dict[str, Zygote] = {}
        self._all_zygotes: list[Zygote] = []
        self._warm: dict[tuple[int, str], HarnessProcess] = {}
        self._harnesses: list[HarnessProcess] = []
        self._births = 0
        self._keepers: dict[str, asyncio.Task[dict[str, str]]] = {}
        self._all_keepers: list[HostKeeper] = []

    @property
    def folder(self) -> Path:
        """Where this agent's logs and notes are."""
        return self._folder

    async def harness(self, slot: int, suite: str) -> HarnessProcess:
        """The warm harness of that slot and suite if one was left, else a new one. Raises `EngineError`."""
        warm = self._warm.pop((slot, suite), None)
        place = self._places[slot] if slot < len(self._places) else None
        if warm is not None and place is not None:
            self._part(warm)
        if warm is None or warm.has_ended or place is not None:
            return await self._bear(slot, suite, self._lease_seconds, place)
        warm.attach()
        warm.replay()
        if (stamp := warm.stamp()) is not None:
            warm.renew(stamp, self._lease_seconds)
        return warm

    async def warm(self, slot: int, suite: str) -> HarnessProcess:
        """A harness to collect with; it stays there for `harness(slot, suite)`. Raises `EngineError`."""
        known = self._warm.get((slot, suite))
        if known is not None and not known.has_ended:
            known.attach()
            return known
        harness = await self._bear(slot, suite, max(WARM_SPAN_SECONDS, self._lease_seconds))
        self._warm[slot, suite] = harness
        return harness

    def identity(self, slot: int) -> dict[str, str | int]:
        """Names this agent, and the folder of the slot's outboxes and notes."""
        return {
            "machine": process_table.machine_id(),
            "boot": self._boot,
            "space": process_table.pid_space(),
            "pid": self._pid,
            "started": self._started,
            "folder": str(self._slot_folder(slot)),
            "place": platform.node(),
            "log": str(self._slot_folder(slot) / "*" / "worker.log"),
        }

    async def salvage(self, identity: dict[str, str | int]) -> Remains | None:
        """Prove that the agent of that identity is dead, end what it left in that slot, return its last words.

        None when it lives or its death cannot be proved from here. May be called again; gives the same.
        """
        return await asyncio.to_thread(_salvage, identity)

    async def close(self) -> None:
        """End every harness: finish, TERM, KILL, each with its time; then the zygotes and what may be left."""
        await asyncio.gather(*self._parting, *(self._end(harness) for harness in self._harnesses))
        await asyncio.gather(*(zygote.close() for zygote in self._all_zygotes))
        troubles = await asyncio.gather(*(keeper.close() for keeper in self._all_keepers))
        self.troubles = [text for each in troubles for text in each]
        self._all_keepers.clear()
        self._keepers.clear()
        if self._all_zygotes:
            await asyncio.to_thread(process_table.end_all, [], f"{MARK}={self._folder.name}")
        for outbox in self._folder.glob(f"*/*/{OUTBOX}"):
            outbox.unlink(missing_ok=True)
        self._harnesses.clear()
        self._all_zygotes.clear()
        self._zygotes.clear()
        self._warm.clear()

    def _part(self, harness: HarnessProcess) -> None:
        """End one that has collected outside of any queue, beside all else."""
        task = asyncio.ensure_future(self._end(harness))
        self._parting.add(task)
        task.add_done_callback(self._parting.discard)

    async def _shared(self, suite: str) -> dict[str, str]:
        """What set-ups of this machine export to the suite's tests; done once. Raises `EngineError`."""
        if not self._specs[suite].options.get("host_setups"):
            return {}
        if suite not in self._keepers:
            self._keepers[suite] = asyncio.ensure_future(self._keep(self._specs[suite]))
        return await asyncio.shield(self._keepers[suite])

    async def _keep(self, spec: HarnessSpec) -> dict[str, str]:
        self._folder.mkdir(parents=True, exist_ok=True)
        order = {
            "suite": spec.suite,
            "root": spec.cwd,
            "env": spec.env,
            "setups": spec.options["host_setups"],
            "kill_after_seconds": spec.options["kill_after_seconds"],
            "notes": str(Path(str(spec.options["folder_of_notes"])) / "host"),
            "folder": str(self._folder / "shared"),
        }
        keeper = HostKeeper(spec.python, order, self._folder / f"keeper-{len(self._all_keepers)}.log")
        self._all_keepers.append(keeper)
        return await keeper.set_up()

    async def _end(self, harness: HarnessProcess) -> None:
        await harness.send({"do": "finish"})
        try:
            async with asyncio.timeout(self._finish_seconds):
                await harness.drain()
        except TimeoutError:
            await harness.kill(grace_seconds=self._term_seconds)
            await harness.drain()

    async def _bear(
        self, slot: int, suite: str, span_seconds: float, place: QueuePlace | None = None
    ) -> HarnessProcess:
        lease = self._lease_seconds
        exports = await self._shared(suite)
        terms = Terms(start_seconds=span_seconds, stamp_seconds=lease / 8, stop_seconds=lease, silence_seconds=lease)
        spec = evolve(self._specs[suite], env={**self._specs[suite].env, **exports})
        options = {**spec.options, "slot": slot, "slots": self._slots}
        if place is not None:
            options["place"] = place.order(place.folder, wait_seconds=max(WAIT_SECONDS, 2 * lease))
        self._births += 1
        folder = self._slot_folder(slot) / f"{self._births:04d}"
        zygote = await self._zygote(spec)
        try:
            harness = await bear_harness(zygote, folder, terms=terms, options=options)
        except EngineError:
            if zygote.is_alive:
                raise
            zygote = await self._zygote(spec)
            harness = await bear_harness(zygote, folder, terms=terms, options=options)
        self._harnesses = [one for one in self._harnesses if not one.is_over]
        self._harnesses.append(harness)
        return harness

    async def _zygote(self, spec: HarnessSpec) -> Zygote:
        key = json.dumps([spec.python, spec.cwd, spec.env, spec.module, spec.options], sort_keys=True)
        zygote = self._zygotes.get(key)
        if zygote is None or not zygote.is_alive or not self._shares_zygotes:
            self._folder.mkdir(parents=True, exist_ok=True)
            log = self._folder / f"zygote-{len(self._all_zygotes)}.log"
            mark = {MARK: self._folder.name}
            zygote = Zygote(spec, log=log, mark=mark, is_warm=self._shares_zygotes)
            self._zygotes[key] = zygote
            self._all_zygotes.append(zygote)
        await zygote.ready()
        return zygote

    def _slot_folder(self, slot: int) -> Path:
        return self._folder / f"slot-{slot}"


def _salvage(identity: dict[str, str | int]) -> Remains | None:
    if "pid" not in identity:
        return None  # Another launcher's.
    folder = Path(str(identity["folder"]))
    births = sorted(path.parent for path in folder.glob(f"*/{OUTBOX}"))
    if identity["boot"] == process_table.boot_id():
        if identity["space"] != process_table.pid_space():
            return None
        if process_table.is_alive(int(identity["pid"]), str(identity["started"])):
            return None
        known = [one for birth in births for one in read_note(birth)]
        if not process_table.end_all(known, f"{MARK}={folder.parent.name}"):
            return None
    elif identity["machine"] != process_table.machine_id():
        return None  # Another machine's processes cannot be seen from here.
    return Remains(messages=[message for birth in births for message in read_last_words(birth)])
