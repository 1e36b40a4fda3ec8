"""The workforce: which launcher, how many workers, how their harnesses start, under which limits; from settings to values.

The composition root's half of hiring. It must not know stages or reports.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from extensions import plugins
from extensions.own_share import host_of
from extensions.shipping import shipped
from extensions.sizing import refuse_empty
from pipeline.errors import UsageError

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from extensions.fleet import Fleet
    from extensions.room import Room
    from pipeline.logic.placement.grounds import Grounds
    from pipeline.model.pools import Pool
    from pipeline.model.suites import HarnessSpec, Suite
    from pipeline.model.swept import Swept
    from pipeline.ports import Clock, Store
    from pipeline.protocol.limits import Limits
    from pipeline.stages.agent import Framework


LEAST_DISRUPTIONS = 100
DISRUPTIONS_PER_WORKER = 10


class Workforce:
    """The workers that the settings ask for."""

    def __init__(
        self,
        fleet: Fleet,
        suites: Callable[[], Sequence[Suite]],
        framework: Callable[[Suite], Framework],
        identity: Callable[[], str],
        tell: Callable[[str], None] = lambda _: None,
        sources: Callable[[], Iterable[str]] = tuple,
    ) -> None:
        """`tell` takes warnings for people; `sources` are the project's files."""
        self.fleet, self._tell, self._sources = fleet, tell, sources
        self._suites, self._framework, self._identity = suites, framework, identity

    @cached_property
    def slots(self) -> int:
        """How many workers there may be; 0 means in the foreground. Raises `UsageError` when pools do not fit."""
        from pipeline.logic.pooling import slots_of

        return slots_of(self._sized)

    @cached_property
    def pools(self) -> Sequence[Pool]:
        """The pools that the suites use, with their slots and suites. Raises `UsageError` when they do not fit."""
        from attrs import evolve

        suites = self._suites()
        return [
            evolve(pool, suites=tuple(suite.name for suite in suites if suite.pool == pool.name))
            for pool in self._sized
        ]

    @cached_property
    def grounds(self) -> Grounds | None:
        """What tests are placed by, where not every slot may run every test. Raises `UsageError`."""
        from extensions.placing import grounds_of

        return grounds_of(self.fleet, self._suites, "ssh" if host_of(self.fleet) else self.launcher_name, self.slots)

    @cached_property
    def placing(self) -> str:
        """Digest of what decides which tests run where. Asks no host."""
        from extensions.deciding_places import placing_digest

        return placing_digest(self.fleet, self.launcher_name)

    @cached_property
    def spare(self) -> Sequence[Pool]:
        """Of pools that may grow while tests run: slots behind all others."""
        from attrs import evolve

        from pipeline.logic.pooling import behind, grown

        if self._room is None:
            return ()
        return behind(grown([evolve(pool, why="") for pool in self.pools if pool.name in self._autos]), self.slots)

    @cached_property
    def _sized(self) -> Sequence[Pool]:
        """Where workers have containers of their own, each pool has workers of its own; else all share this machine's."""
        from pipeline.logic.pooling import apart, shared
        from pipeline.model.pools import Pool

        refuse_empty(self._counts)
        if self._room is not None:
            sizes = self._room.sizes(self._counts)
        else:
            cores = max(1, self._places // max(1, len(self._autos) if self.is_apart else 1))
            sizes = {name: (cores if count == "auto" else int(count), "") for name, count in self._counts.items()}
        pools = [Pool(name=name, first=0, size=size, suites=(), why=why) for name, (size, why) in sizes.items()]
        return apart(pools) if self.is_apart else shared(pools)

    @property
    def is_apart(self) -> bool:
        """Whether each worker is a container or pod, which goes on while its agent is away."""
        return bool(getattr(plugins.load("launchers", self.launcher_name), "needs_images", False))

    @cached_property
    def _places(self) -> int:
        """How many workers there is room for: on hosts as many as they have slots, else as many as this machine has cores."""
        from extensions.placing import count_places

        return count_places(self.fleet, self._suites, "ssh" if host_of(self.fleet) else self.launcher_name)

    @property
    def _counts(self) -> dict[str, int | str]:
        return {name: pool.count.get() for name, pool in self._used.items()}

    @property
    def _autos(self) -> list[str]:
        return [name for name, count in self._counts.items() if count == "auto"]

    @cached_property
    def _room(self) -> Room | None:
        """Who counts what fits, where that is asked for and can change."""
        if self.launcher_name != "kubernetes" or not self._autos:
            return None
        from extensions.room import Room

        return Room(self.fleet, self._suites())

    @property
    def room(self) -> Callable[[], Awaitable[Mapping[str, int]]] | None:
        """Asks how many workers more fit now, by pool; None: there will never be more."""
        import asyncio

        room = self._room
        return None if room is None else lambda: asyncio.to_thread(room.more, self._autos)

    @cached_property
    def in_foreground(self) -> bool:
        """Whether there are no workers; asks no engine how many there may be. Raises `UsageError` when pools do not fit."""
        assert self.launcher_name
        refuse_empty(self._counts)
        return not any(self._counts.values())

    @cached_property
    def hands(self) -> int:
        """How many processes here compile and collect: as many as there are workers, where they live here."""
        from pipeline.adapters.cores import available_cores

        is_elsewhere = (
            self.is_apart
            or bool(host_of(self.fleet))
            or hasattr(plugins.load("launchers", self.launcher_name), "count_slots")
        )
        return available_cores() if is_elsewhere else max(1, self.slots)

    @property
    def launcher_name(self) -> str:
        """The launcher of all pools. Raises `UsageError` when they name several."""
        if host_of(self.fleet):
            return "local"
        named = {name: str(pool.launcher.get()) for name, pool in self._used.items()}
        if len(set(named.values())) > 1:
            told = ", ".join(f"pool {name!r} {launcher!r}" for name, launcher in named.items())
            raise UsageError(
                f"one run has one launcher, but the pools in use name several: {told}",
                hint="name one for all, `workers.launcher`, or run the suites apart: one `doit` for each launcher, with a profile "
                "that names it and its suites",
            )
        return next(iter(named.values()), "local")

    def needs_images(self) -> bool:
        """Whether workers run images. Leaves all settings open: tasks may be looked up while dodo.py still sets some."""
        return any(
            getattr(plugins.load("launchers", name), "needs_images", False) for name in self._named() - {"local"}
        )

    def _named(self) -> set[str]:
        if host_of(self.fleet):
            return set()
        used = {self.fleet.suites[name].pool.peek() for name in self.fleet.suites.likely()}
        return {self.fleet.pools[name].launcher.peek() for name in used if name in self.fleet.pools.known()}

    def has_hosts(self) -> bool:
        """Whether workers live on machines that must be reached first. Leaves all settings open, as `needs_images`."""
        return any(hasattr(plugins.load("launchers", name), "count_slots") for name in self._named() - {"local"})

    @property
    def _used(self) -> dict[str, Any]:
        """The settings of the pools that suites use, by name, in the order of the suites."""
        used = dict.fromkeys(self.fleet.suites[name].pool.get() for name in self.fleet.suites.chosen())
        return {name: self.fleet.pools[name] for name in used}

    @cached_property
    def launcher(self) -> Any:
        """Where workers live."""
        return plugins.load("launchers", self.launcher_name)(self._launching())

    def share(self, store: Any) -> None:
        """Let workers write a store of files, where they run as another user than the agent: containers and pods of root's."""
        import os

        if os.getuid() == 0 and self.launcher_name in ("docker", "kubernetes"):
            from extensions.dockering import user_of

            given = user_of(self.fleet) if self.launcher_name == "docker" else self.fleet.kubernetes.user.get() or ""
            user, _, group = given.partition(":")
            if user.isdecimal() and (group or "0").isdecimal():
                store.give_to(int(user), int(group or 0))

    def meeting(
        self, store: Store, clock: Clock, run: str, tell: Callable[[str], None]
    ) -> AbstractAsyncContextManager[None]:
        """While inside, workers that have a volume as their store find out whether it is the agent's."""
        from contextlib import nullcontext

        if self.launcher_name != "kubernetes" or "://" in str(self.fleet.store.url.get()):
            return nullcontext()
        from pipeline.adapters.store_meeting import meeting_workers

        return meeting_workers(store, clock, run, tell)

    def left_at_once(self, run: str, fate: str) -> str:
        """What a second signal leaves behind, what becomes of the run, and how to remove it, for people."""
        from extensions.standing import left_at_once

        return left_at_once(self.fleet, self.launcher_name, run, fate, self._most("lease_seconds"))

    def sweep(self, alive: Callable[[], Collection[str]], dead: Collection[str]) -> Swept:
        """Remove what this store's runs have left where workers live, of `dead` ones and of those that are not alive."""
        from extensions.sweeping import sweep

        return sweep(self.fleet, {str(pool.launcher.get()) for pool in self._used.values()}, alive, dead)

    @property
    def roots_elsewhere(self) -> Sequence[str]:
        """Where the project lies on machines of workers, as patterns of paths, beyond what images say."""
        if self.launcher_name != "ssh":
            return ()
        from pipeline.launchers.ssh.terms import root_pattern

        return (root_pattern(Path(self.fleet.scope.ledger.context.root).name),)

    def doubts(self, expected_seconds: float) -> Sequence[str]:
        """What a person should know before a run of that length."""
        if not self.needs_images():
            return []
        import time

        from extensions.store_access import doubts

        return doubts(self.fleet, expected_seconds, time.time())

    def close(self, wait: Callable[[Coroutine[Any, Any, None]], None]) -> None:
        """End the launcher, if it was ever made."""
        if "launcher" in vars(self):
            wait(self.launcher.close())

    def _launching(self) -> plugins.Launching:
        root = Path(self.fleet.scope.ledger.context.root)
        return plugins.Launching(
            specs=self.specs,
            slots=self.slots,
            lease_seconds=self._most("lease_seconds"),
            scratch=Path(self.fleet.local.scratch_dir.get()),
            pools=(*self.pools, *self.spare),
            fleet=self.fleet,
            grounds=self.grounds,
            sources=lambda: [*self._sources(), *shipped(self._suites(), self._framework, root)],
            tell=self._tell,
        )

    @cached_property
    def specs(self) -> Mapping[str, HarnessSpec]:
        """How harnesses are started, by suite."""
        return {suite.name: self.spec(suite) for suite in self._suites()}

    def spec(self, suite: Suite) -> HarnessSpec:
        """How the suite's harnesses are started."""
        from attrs import evolve

        from extensions.command_suites import refuse_hosts
        from extensions.own_share import own_env

        refuse_hosts(suite, has_images=self.is_apart)
        identity = self._identity()
        seed = self.fleet.run.seed.get()
        spec = self._framework(suite).harness(
            suite, run=self._test_run, slots=self.slots, seed=int(identity[:8], 16) if seed == "auto" else int(seed)
        )
        own = {"nice": self.fleet.pools[suite.pool].nice.get(), "carries": self._carries(suite)}
        return evolve(spec, env={**own_env(self.fleet), **spec.env}, options={**spec.options, **own})

    def shared(
        self, left: Collection[str], run: str, stop: Any, tell: Callable[[str], None]
    ) -> AbstractAsyncContextManager[None]:
        """While inside, what tests of a suite share in this run stands, where some are `left` to do."""
        from extensions.run_setups import shared

        return shared(self, self._suites(), left, run, stop, tell)

    @cached_property
    def _test_run(self) -> str:
        """What tests see as `testrun_uid`: what is shared by it lies on one machine, so jobs that join have one each."""
        if not self.fleet.join.name.get():
            return self._identity()
        import secrets

        return secrets.token_hex(8)

    def _carries(self, suite: Suite) -> dict[str, object]:
        """What a worker elsewhere sends home of this suite: patterns below the project's root.

        The outputs that settings name, and what the framework needs for its conclusion.
        """
        root = Path(self.fleet.scope.ledger.context.root)
        needed = getattr(self._framework(suite), "carries", None)
        patterns = (*suite.outputs, *(needed(suite) if needed is not None else ()))
        folder = Path(suite.root)
        below = folder.relative_to(root) if folder == root or root in folder.parents else Path()
        return {"root": str(root), "globs": [(below / pattern).as_posix() for pattern in patterns]}

    def _most(self, setting: str) -> float:
        """The largest that a pool in use says: a run has one lease and one budget."""
        return max(float(getattr(pool, setting).get()) for pool in self._used.values())

    def _most_disruptions(self) -> int:
        said = [pool.max_disruptions.get() for pool in self._used.values()]
        workers = self.slots + sum(pool.size for pool in self.spare)
        generous = max(LEAST_DISRUPTIONS, DISRUPTIONS_PER_WORKER * workers)
        return max(generous if each == "auto" else int(each) for each in said)

    def limits(self) -> Limits:
        """Spans and budgets of the protocol, from the settings."""
        from extensions.limiting import limits_of

        return limits_of(self.fleet, self._suites(), self._most, self._most_disruptions())
