"""One host from the first login to the end: kept ready, lost, tried again, set aside. Knows neither plans nor stores."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import evolve, field, frozen

from pipeline.adapters.harness_birth import Terms
from pipeline.adapters.harness_process import HarnessProcess
from pipeline.adapters.openssh import Client
from pipeline.adapters.relay_link import Hello, RelayLink
from pipeline.adapters.relay_streams import RemoteJob
from pipeline.adapters.remote_harness import RemoteZygote, bear_remote_harness
from pipeline.adapters.remote_project import Laid, Manifest, lay
from pipeline.errors import EngineError, FleetError, PlaceLost
from pipeline.launchers.queues import WAIT_SECONDS, QueuePlace, folder_name
from pipeline.launchers.ssh.moved import moved
from pipeline.launchers.ssh.terms import HostTerms, Whose, plain, pythons_for
from pipeline.model.suites import HarnessSpec

LEAST_BYTES = 32 << 20
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 30.0
MOST_FAILURES = 8
"""In a row, about two minutes: then the host is set aside. One that has never come gets half as many."""
LOGIN_JITTER_SECONDS = 0.3
SOUND_SECONDS = 30.0
"""A connection that lasted as long is no failure when it is lost."""
LEAVE_SECONDS = 150.0
"""For `after` commands and the removal of the folder."""


@frozen(kw_only=True)
class Common:
    """What all hosts of one launcher share."""

    specs: Mapping[str, HarnessSpec]
    root: str
    scratch: Path
    client: Client
    whose: Whose
    lease_seconds: float
    shares_zygotes: bool
    manifest: Callable[[], asyncio.Future[Manifest]]
    """One for all of them: whoever waits for it must not end it."""
    tell: Callable[[str], None]
    changed: Callable[[], None]
    """Called when a host has become ready, or is so no longer."""
    connections: Iterator[int] = field(factory=lambda: itertools.count(1))
    """Numbers of all connections, so that no two relays of this agent have one name."""
    logins: asyncio.Semaphore = field(factory=lambda: asyncio.Semaphore(6))


class Host:
    """One host. `keep` makes it ready again and again."""

    def __init__(self, terms: HostTerms, common: Common, behind: asyncio.Future[None] | None = None) -> None:
        """`behind`: the end of an earlier stay there, which is waited for."""
        self.terms, self._common, self._behind = terms, common, behind
        self.name = terms.name
        self.set_aside = ""
        """Why it is not tried any more."""
        self.trouble = "it is not connected yet"
        self.hello: Hello | None = None
        self.laid: Laid | None = None
        self._link: RelayLink | None = None
        self._zygotes: dict[str, RemoteZygote] = {}
        self._exports: dict[str, dict[str, str]] = {}
        """What set-ups of this host export, by suite."""
        self._is_ready = asyncio.Event()
        self._is_lost = asyncio.Event()
        self._has_come = False
        self._failures = self._connections = self._births = 0
        self._told: set[str] = set()
        self._keeping: asyncio.Task[None] | None = None

    @property
    def is_ready(self) -> bool:
        """Whether harnesses can be had now."""
        return self._is_ready.is_set()

    @property
    def link(self) -> RelayLink:
        """The session. Raises `PlaceLost`."""
        if self._link is None or not self._link.is_open:
            raise PlaceLost(f"host {self.name!r}: {self.set_aside or self.trouble}")
        return self._link

    def begin(self) -> None:
        """Connect in the background, if that has not begun."""
        if self._keeping is None:
            self._keeping = asyncio.ensure_future(self._keep())

    async def ready(self, seconds: float) -> bool:
        """Wait until it is ready; False after that span, or when it is set aside."""
        until = time.monotonic() + seconds
        while not self.is_ready and not self.set_aside and time.monotonic() < until:
            await asyncio.sleep(0.05)
        return self.is_ready

    async def harness(self, folder: Path, suite: str, terms: Terms, options: dict[str, Any]) -> HarnessProcess:
        """A new harness; `folder` is for its log, here. Raises `EngineError`."""
        if not self.is_ready:
            raise PlaceLost(f"host {self.name!r}: {self.set_aside or self.trouble}")
        link, self._births = self.link, self._births + 1
        name = f"{folder.parent.name}/{folder.name}"
        zygote = await self._zygote(link, suite)
        options = {**moved(self._common.specs[suite], self._common.root, self._root, {}).options, **options}
        try:
            return await bear_remote_harness(link, zygote, folder, name, terms=terms, options=options)
        except EngineError:
            if zygote.is_alive or not link.is_open:
                raise
            zygote = await self._zygote(link, suite)
            return await bear_remote_harness(link, zygote, folder, f"{name}-again", terms=terms, options=options)

    def placed(self, place: QueuePlace) -> dict[str, Any]:
        """What a harness in that queue is told; its folder is beside those of runs, and stays. Raises `PlaceLost`."""
        if self.hello is None or not self.is_ready:
            raise PlaceLost(f"host {self.name!r}: {self.set_aside or self.trouble}")
        base = self.hello.folder.rpartition("/runs/")[0]
        folder = f"{base}/queues/{self._common.whose.label}/{folder_name(self.name)}/{folder_name(place.queue)}"
        return place.order(folder, wait_seconds=max(WAIT_SECONDS, 2 * self._common.lease_seconds))

    async def close(self) -> None:
        """End everything there; says what could not be done."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        link, self._link = self._link, None
        self._is_ready.clear()
        if link is None:
            return
        told = await link.close(LEAVE_SECONDS if link.is_open else 0.0)
        if told is None:
            if self.laid is not None:
                self._say(
                    f"host {self.name!r} was not there at the end: what is left there goes with the next run, or `doit sweep`"
                )
            return
        if told.get("after") is not None and told["after"]["code"] != 0:
            self._say(f"host {self.name!r}: {_failed('after', told['after'])}")
        for trouble in told.get("standing", ()):
            self._say(f"host {self.name!r}: {trouble}")
        for text in told.get("down", ()):
            self._say(f"host {self.name!r}: {text}")
        for left in told["left"]:
            self._say(f"host {self.name!r}: could not be removed: {left}")

    @property
    def _root(self) -> str:
        assert self.laid is not None
        return self.laid.root

    async def _keep(self) -> None:
        if self._behind is not None:
            await asyncio.wait((self._behind,))
        try:
            await self._come_again_and_again()
        except (
            Exception
        ) as error:  # Nobody waits for this task: unsaid, the host would be waited for until the end of time.
            self._is_ready.clear()
            try:
                await self._leave()
            finally:
                self._put_aside(_said(error))

    async def _come_again_and_again(self) -> None:
        while not self.set_aside:
            began = time.monotonic()
            try:
                await self._come()
            except EngineError as error:
                await self._leave()
                self._fail(error)
            else:
                await self._is_lost.wait()
                self._is_ready.clear()
                self.trouble = self._link.why if self._link is not None else "it was lost"
                self._common.changed()
                self._say(f"host {self.name!r} was lost: {self.trouble}; its tests go elsewhere, and it is tried again")
                await self._leave()
                self._failures = 1 if time.monotonic() - began > SOUND_SECONDS else self._failures + 1
                if self._failures >= MOST_FAILURES:
                    self._put_aside(f"it was lost {self._failures} times in a row: {self.trouble}")
            if not self.set_aside:
                await asyncio.sleep(pause_seconds(self._failures))

    async def _come(self) -> None:
        common, self._connections = self._common, next(self._common.connections)
        self._is_lost.clear()
        assert self.terms.address is not None
        about = {"label": common.whose.label, "after": list(self.terms.after)}
        order = {
            "name": f"{common.whose.agent}-{plain(self.name)}-{self._connections}",
            "folder": self.terms.folder,
            "about": about,
            "env": dict(self.terms.env),
            "least_bytes": LEAST_BYTES,
        }
        waits = common.logins.locked()
        async with common.logins:
            if waits:
                await asyncio.sleep(random.uniform(0.0, LOGIN_JITTER_SECONDS))
            self._link = link = RelayLink(common.client, self.terms.address, name=self.name, lost=self._is_lost.set)
            python = next((one for one in self.terms.pythons if one.startswith("/")), "")
            self.hello = await link.open(
                order,
                python=python,
                silence_seconds=common.lease_seconds / 2,
                ping_seconds=max(0.1, common.lease_seconds / 16),
            )
        envs = {suite: spec.env for suite, spec in common.specs.items()}
        told = {"label": common.whose.label, "keep_seconds": common.whose.keep_seconds, "envs": envs}
        tidying = RemoteJob(link, "tidy", told)
        self.laid = await lay(link, await asyncio.shield(common.manifest()))
        await tidying.answer()
        await self._prepare(link)
        self._exports = {suite: await self._stand(link, spec) for suite, spec in common.specs.items()}
        self._zygotes.clear()
        await asyncio.gather(*(self._zygote(link, suite) for suite in common.specs))
        self._has_come = True
        self._is_ready.set()
        common.changed()

    async def _prepare(self, link: RelayLink) -> None:
        if not self.terms.before and not self.terms.after:
            return
        order = {"commands": list(self.terms.before), "cwd": self._root, "seconds": self.terms.before_seconds}
        told = await RemoteJob(link, "command", order).answer()
        if told["code"] != 0:
            error = PlaceLost(f"host {self.name!r}: {_failed('before', told)}", hint="see hosts.<name>.before")
            error.permanent = True
            raise error

    async def _stand(self, link: RelayLink, spec: HarnessSpec) -> dict[str, str]:
        """Set up what the suite's workers on this host share."""
        order = moved(spec, self._common.root, self._root, dict(self.terms.env))
        if not (setups := order.options.get("host_setups")):
            return {}
        told = await RemoteJob(
            link,
            "stand",
            {
                "suite": spec.suite,
                "root": order.cwd,
                "env": order.env,
                "setups": setups,
                "kill_after_seconds": order.options["kill_after_seconds"],
            },
        ).answer()
        if "exports" not in told:
            error = PlaceLost(f"host {self.name!r}: suite {spec.suite!r}: {told['details']}")
            error.permanent = True
            raise error
        return {str(name): str(value) for name, value in told["exports"].items()}

    async def _zygote(self, link: RelayLink, suite: str) -> RemoteZygote:
        common = self._common
        spec = common.specs[suite]
        assert self.laid is not None
        there = moved(spec, common.root, self._root, dict(self.terms.env), self.laid.beside)
        there = evolve(there, env={**there.env, **self._exports.get(suite, {})})
        key = json.dumps([spec.python, there.cwd, there.env, there.module, there.options], sort_keys=True)
        zygote = self._zygotes.get(key)
        if zygote is None or not zygote.is_alive or (not common.shares_zygotes and self.is_ready):
            name = f"zygote-{self._connections}-{len(self._zygotes)}-{self._births}"
            log = common.scratch / f"{self.name}-{name}.log"
            log.parent.mkdir(parents=True, exist_ok=True)
            zygote = self._zygotes[key] = RemoteZygote(
                link,
                there,
                pythons_for(self.terms, spec.python, self._root),
                name=name,
                log=log,
                is_warm=common.shares_zygotes,
            )
        await zygote.ready()
        return zygote

    async def _leave(self) -> None:
        if (link := self._link) is not None:
            await link.close(5.0 if link.is_open else 0.0)
            self._link = None  # Who is cancelled before leaves it to `close`.

    def _fail(self, error: EngineError) -> None:
        self._failures += 1
        self.trouble = error.message.removeprefix(f"host {self.name!r}: ")
        most = MOST_FAILURES if self._has_come else MOST_FAILURES // 2
        if error.permanent or self._failures >= most:
            self._put_aside(_said(error))
        elif error.message not in self._told:
            self._told.add(error.message)
            self._say(f"{error.message}; it is tried again")

    def _put_aside(self, why: str) -> None:
        self.set_aside = why.removeprefix(f"host {self.name!r}: ")
        self._say(f"host {self.name!r} is set aside: {self.set_aside}")
        self._common.changed()

    def _say(self, text: str) -> None:
        self._common.tell(text)


def pause_seconds(failures: int) -> float:
    """How long to wait after so many failures in a row; with jitter, because others wait for the same host."""
    pause = min(FIRST_PAUSE_SECONDS * 2.0 ** max(0, failures - 1), LONGEST_PAUSE_SECONDS)
    return pause * random.uniform(0.75, 1.25)


def _said(error: Exception) -> str:
    if isinstance(error, FleetError):
        return "; ".join(filter(None, (error.message, error.hint)))
    return f"{type(error).__name__}: {error}"


def _failed(what: str, told: dict[str, Any]) -> str:
    how = "took too long or could not be started" if told["code"] is None else f"ended with status {told['code']}"
    lines: Sequence[str] = told["output"].strip().splitlines()
    return f"command {told['command']!r} of `{what}` {how}" + (f": {lines[-1][:300]}" if lines else "")
