"""Workers on hosts by ssh: `ports.Launcher` for `workers.launcher = "ssh"`. Tests are collected here, by local harnesses.

Supervisors live with the leader. Slots are open while their host is ready (`ports.places.Changing`).
"""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections import Counter
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.adapters import process_table
from pipeline.adapters.harness_birth import OUTBOX, Terms, read_last_words
from pipeline.adapters.harness_process import HarnessProcess
from pipeline.adapters.openssh import Client
from pipeline.adapters.relay_streams import RemoteJob
from pipeline.adapters.remote_project import Manifest, read_manifest
from pipeline.errors import EngineError, PlaceLost
from pipeline.launchers.local import LocalLauncher
from pipeline.launchers.queues import QueuePlace
from pipeline.launchers.ssh.editing import HostsFile, edited
from pipeline.launchers.ssh.host import Common, Host
from pipeline.launchers.ssh.outputs import bring
from pipeline.launchers.ssh.terms import HostTerms, Whose, laid_out, plain
from pipeline.model.suites import HarnessSpec
from pipeline.ports import Remains
from pipeline.protocol.certain import CertainStore

SALVAGE_SECONDS = 5.0
"""For all hosts to come, so that what a dead agent has left there can be ended; later only for those that are there."""


class SshLauncher:
    """Harnesses on hosts."""

    name = "ssh"

    def __init__(
        self,
        local: LocalLauncher,
        specs: Mapping[str, HarnessSpec],
        hosts: Sequence[HostTerms],
        root: Path,
        names: Callable[[], Iterable[str]],
        *,
        slots: int,
        label: str,
        lease_seconds: float,
        client: Client | None = None,
        keep_seconds: float = 14 * 86_400.0,
        zygote: bool = True,
        places: Sequence[QueuePlace] = (),
        tell: Callable[[str], None] = lambda _: None,
        finish_seconds: float = 5.0,
        term_seconds: float = 1.0,
        archives: Mapping[str, Path] | None = None,
        edits: HostsFile | None = None,
        most: int | None = None,
    ) -> None:
        """`local` collects, and has the slots of this machine; `names` are the project's files, below `root`; `places` are the
        queues that slots are, if they are any.

        `archives` lie unpacked in the project on hosts, under these names. `edits`: hosts that may change meanwhile; then there are `most` slots at once, if that is given.
        """
        self._local, self._specs, self._slots = local, dict(specs), slots
        self._root, self._names, self._archives = root, names, dict(archives or {})
        self._lease_seconds = lease_seconds
        self._finish_seconds, self._term_seconds = finish_seconds, term_seconds
        self._of_slot = list(laid_out(hosts, slots))
        self._places = tuple(places)
        self._edits, self._most = edits, most
        self._draining: Collection[int] = frozenset()
        self._busy: Collection[int] = frozenset()
        """Slots in which somebody worked when we heard of it last."""
        self._listed: Sequence[HostTerms] | None = None
        """What the hosts file says, once it was edited."""
        self._leaving: dict[str, asyncio.Task[None]] = {}
        self._common: Common | None = None
        self._sides: set[asyncio.Task[None]] = set()
        self._watching: asyncio.Task[None] | None = None
        self._agent = f"{plain(root.name)}-{os.getpid()}-{secrets.token_hex(4)}"
        self._scratch = local.folder
        self._shares_zygotes = zygote
        self._client, self._tell = client or Client(), tell
        self._whose = Whose(label=label, agent=self._agent, keep_seconds=keep_seconds)
        self._hosts: dict[str, Host] = {}
        self._harnesses: list[HarnessProcess] = []
        self._births = 0
        self._salvaging_until = 0.0
        self._manifest: asyncio.Future[Manifest] | None = None
        self._news: Callable[[], None] = lambda: None

    # Collecting, on this machine.

    async def warm(self, slot: int, suite: str) -> HarnessProcess:
        """A harness of this machine, to collect with. Raises `EngineError`."""
        return await self._local.warm(slot, suite)

    def approach(self) -> None:
        """Connect to all hosts in the background."""
        if self._common is None:
            self._common = Common(
                specs=self._specs,
                root=str(self._root),
                scratch=self._scratch,
                client=self._client,
                whose=self._whose,
                lease_seconds=self._lease_seconds,
                shares_zygotes=self._shares_zygotes,
                manifest=self._read_manifest,
                tell=self._tell,
                changed=lambda: self._news(),
            )
            if self._edits is not None:
                self._watching = self._beside(self._edits.watch(self._edit, self._tell))
        for terms in self._of_slot:
            if terms.address is not None and terms.name not in self._hosts and self._is_wanted(terms.name):
                self._hosts[terms.name] = Host(terms, self._common, self._leaving.get(terms.name))
        for host in self._hosts.values():
            host.begin()

    async def ready(self, seconds: float) -> bool:
        """Wait until all hosts are ready; False after that span, or when one is set aside."""
        self.approach()
        return all(await asyncio.gather(*(host.ready(seconds) for host in self._hosts.values())))

    def _read_manifest(self) -> asyncio.Future[Manifest]:
        """The same for all hosts, read once."""
        if self._manifest is None:
            self._manifest = asyncio.ensure_future(asyncio.to_thread(self._read_all))
        return self._manifest

    def _read_all(self) -> Manifest:
        made = read_manifest(self._root, list(self._names()))
        outside = [Path(spec.module) for spec in self._specs.values() if spec.module.startswith("/")]
        for module in outside:
            if self._root not in module.parents:
                made.add_beside(module)
        for name, path in self._archives.items():
            made.add_archive(name, path)
        return made

    # Slots that open and close.

    def heed(self, news: Callable[[], None]) -> None:
        """Call `news` whenever `closed` may have changed."""
        self.approach()
        self._news = news

    def opened(self) -> int:
        """Slots of all hosts that there have been."""
        return max(self._slots, len(self._of_slot))

    def draining(self) -> Collection[int]:
        """Slots of hosts that are not in the hosts file any more."""
        return self._draining

    def let_go(self, busy: Collection[int]) -> None:
        """Leave hosts that nobody works on and that are wanted no more; open what had to wait for their slots."""
        self._busy = frozenset(busy)
        if self._listed is not None:
            self._take_over(self._listed, busy)
        for name in {self.place(slot) for slot in self._draining} - {self.place(slot) for slot in busy}:
            if not self._is_wanted(name) and (host := self._hosts.pop(name, None)) is not None:
                self._tell(f"host {name!r} has been left: it is not in the hosts file any more")
                self._leaving[name] = self._beside(host.close())

    def _edit(self, hosts: Sequence[HostTerms]) -> None:
        """Take over what the hosts file says now."""
        self._listed = hosts
        vacant = {slot for slot in self._draining if slot not in self._busy}
        self._take_over(hosts, [slot for slot in range(len(self._of_slot)) if slot not in vacant])
        self._news()

    def _take_over(self, hosts: Sequence[HostTerms], busy: Collection[int]) -> None:
        found = edited(self._of_slot, self._draining, hosts, self._most, busy)
        drained = {self._of_slot[slot].name for slot in found.draining if slot not in self._draining}
        self._of_slot += found.opened
        self._draining = found.draining
        for name, count in Counter(host.name for host in found.opened).items():
            self._tell(f"host {name!r} joins with {count} slot{'s' if count > 1 else ''}")
        for name in sorted(drained):
            what = "has fewer slots" if self._is_wanted(name) else "is to be left"
            self._tell(f"host {name!r} {what}: what runs there ends, nothing more begins")
        self.approach()

    def _is_wanted(self, name: str) -> bool:
        return any(host.name == name for slot, host in enumerate(self._of_slot) if slot not in self._draining)

    def _beside(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._sides.add(task)
        task.add_done_callback(self._sides.discard)
        return task

    def closed(self) -> Mapping[int, str]:
        """Slots in which nobody can start now, and why."""
        return {slot: self._why_closed(slot) for slot in range(self.opened()) if self._why_closed(slot)}

    def hopeless(self) -> Mapping[int, str]:
        """Those of them that are not tried any more, and those beyond what hosts have."""
        found = {}
        for slot in range(self.opened()):
            host = self._host(slot)
            if slot >= len(self._of_slot):
                found[slot] = "no host has a place for it"
            elif slot in self._draining and slot not in self._busy:  # What waits for its end may open then.
                found[slot] = self._why_closed(slot)
            elif host is not None and host.set_aside:
                found[slot] = f"host {host.name!r} is set aside: {host.set_aside}"
        return found

    def _why_closed(self, slot: int) -> str:
        if slot >= len(self._of_slot):
            return "no host has a place for it"
        if slot in self._draining:
            return f"host {self._of_slot[slot].name!r} is not in the hosts file any more"
        host = self._host(slot)
        return "" if host is None or host.is_ready else host.set_aside or host.trouble

    def _host(self, slot: int) -> Host | None:
        """None: this machine."""
        return self._hosts.get(self._of_slot[slot].name) if slot < len(self._of_slot) else None

    def place(self, slot: int) -> str:
        """The host of a slot; empty: this machine, whose files need not come home."""
        terms = self._of_slot[slot] if slot < len(self._of_slot) else None
        return terms.name if terms is not None and terms.address is not None else ""

    # `ports.Launcher`.

    async def harness(self, slot: int, suite: str) -> HarnessProcess:
        """A new harness on the slot's host. Raises `EngineError`; `PlaceLost` while that is not there."""
        self.approach()
        if slot >= len(self._of_slot):
            raise EngineError(f"slot {slot} has no host")
        host = self._host(slot)
        if host is None and self.place(slot):
            raise PlaceLost(f"host {self.place(slot)!r} has been left")
        if host is None:
            return await self._local.harness(slot, suite)
        lease = self._lease_seconds
        terms = Terms(start_seconds=lease, stamp_seconds=lease / 8, stop_seconds=lease, silence_seconds=lease)
        self._births += 1
        folder = self._slot_folder(slot) / f"{self._births:04d}"
        options: dict[str, Any] = {"slot": slot, "slots": self._slots, "host": host.name}
        if slot < len(self._places):
            options["place"] = host.placed(self._places[slot])
        harness = await host.harness(folder, suite, terms, options)
        self._harnesses = [one for one in self._harnesses if not one.is_over]
        self._harnesses.append(harness)
        return harness

    def identity(self, slot: int) -> dict[str, str | int]:
        """Names the host and what this agent's relays are called there."""
        host = self._host(slot)
        if host is None or slot >= len(self._of_slot):
            return self._local.identity(slot)
        return {
            "host": host.name,
            "relay": self._agent,
            "folder": str(self._slot_folder(slot)),
            "machine": process_table.machine_id(),
            "boot": process_table.boot_id(),
            "space": process_table.pid_space(),
            "agent": os.getpid(),
            "started": process_table.start_time(os.getpid()),
            "place": host.name,
            "log": str(self._slot_folder(slot) / "*" / "worker.log"),
        }

    async def salvage(self, identity: dict[str, str | int]) -> Remains | None:
        """End on its host what a dead agent has left there; what that had heard last. None: it may live, or the host does not
        answer."""
        if "relay" not in identity:
            return await self._local.salvage(identity)
        host = self._hosts.get(str(identity["host"]))
        if host is None or _may_live(identity):
            return None
        self._salvaging_until = self._salvaging_until or time.monotonic() + SALVAGE_SECONDS
        if not await host.ready(self._salvaging_until - time.monotonic()):
            return None
        try:
            told = await RemoteJob(host.link, "end", {"name": identity["relay"]}).answer()
        except EngineError:
            return None
        if not told["proof"]:
            return None
        births = sorted(path.parent for path in Path(str(identity["folder"])).glob(f"*/{OUTBOX}"))
        return Remains(messages=[message for birth in births for message in read_last_words(birth)])

    async def close(self) -> None:
        """End every harness, then all that is on hosts."""
        if self._watching is not None:
            self._watching.cancel()
        self._listed = None
        await asyncio.gather(*(self._end(harness) for harness in self._harnesses))
        self._harnesses.clear()
        leaving = asyncio.gather(*self._sides, return_exceptions=True)
        await asyncio.gather(*(host.close() for host in self._hosts.values()), self._local.close(), leaving)
        self._hosts.clear()
        self._common = None

    async def bring_home(self, store: CertainStore, run: str, worker: str, slot: int) -> None:
        """Send into the store what tests have left on the host of that slot. Raises `FleetError`."""
        host = self._host(slot)
        if host is not None and host.is_ready and host.laid is not None:
            await bring(store, run, worker, self._specs, host.link, host.laid, str(self._root), self._scratch)

    async def _end(self, harness: HarnessProcess) -> None:
        await harness.send({"do": "finish"})
        try:
            async with asyncio.timeout(self._finish_seconds):
                await harness.drain()
        except TimeoutError:
            await harness.kill(grace_seconds=self._term_seconds)
            await harness.drain()

    def _slot_folder(self, slot: int) -> Path:
        return self._scratch / f"slot-{slot}"


def _may_live(identity: Mapping[str, str | int]) -> bool:
    """Whether the agent of that identity may live: one of another machine always may."""
    if identity["machine"] != process_table.machine_id():
        return True
    if identity["boot"] != process_table.boot_id():
        return False
    if identity["space"] != process_table.pid_space():
        return True
    return process_table.is_alive(int(identity["agent"]), str(identity["started"]))
