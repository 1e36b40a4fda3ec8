"""The workforce: which launcher, how many workers, how their harnesses start, under which limits; from settings to values.

The composition root's half of hiring. It must not know stages or reports.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from extensions import plugins

if TYPE_CHECKING:
    from extensions.fleet import Fleet
    from pipeline.model.suites import HarnessSpec, Suite
    from pipeline.protocol.limits import Limits
    from pipeline.stages.agent import Framework


class Workforce:
    """The workers that the settings ask for."""

    def __init__(
        self,
        fleet: Fleet,
        suites: Callable[[], Sequence[Suite]],
        framework: Callable[[Suite], Framework],
        identity: Callable[[], str],
    ) -> None:
        self.fleet = fleet
        self._suites, self._framework, self._identity = suites, framework, identity

    @cached_property
    def slots(self) -> int:
        """How many workers there may be; 0 means in the foreground."""
        from pipeline.adapters.cores import available_cores

        counts = [pool.count.get() for pool in self.pools]
        return max(available_cores() if count == "auto" else int(count) for count in counts)

    def needs_images(self) -> bool:
        """Whether workers run images. Leaves all settings open: tasks may be looked up while dodo.py still sets some."""
        used = {self.fleet.suites[name].pool.peek() for name in self.fleet.suites.known()}
        names = {self.fleet.pools[name].launcher.peek() for name in used if name in self.fleet.pools.known()}
        return any(getattr(plugins.load("launchers", name), "needs_images", False) for name in names - {"local"})

    @property
    def pools(self) -> list[Any]:
        """The pools that suites use, in the order of the suites."""
        used = dict.fromkeys(self.fleet.suites[name].pool.get() for name in self.fleet.suites.names())
        return [self.fleet.pools[name] for name in used]

    @cached_property
    def launcher(self) -> Any:
        """Where workers live."""
        (name,) = {pool.launcher.get() for pool in self.pools} or {"local"}
        return plugins.load("launchers", name)(self._launching())

    def share(self, store: Any) -> None:
        """Let workers write a store of files, where they run as another user than the agent: containers of root's."""
        import os

        if os.getuid() == 0 and "docker" in {pool.launcher.get() for pool in self.pools}:
            from extensions.dockering import user_of

            user, _, group = user_of(self.fleet).partition(":")
            if user.isdecimal() and (group or "0").isdecimal():
                store.give_to(int(user), int(group or 0))

    def sweep(self, alive: Callable[[], Collection[str]]) -> Sequence[str]:
        """Remove containers of this store's runs that are not alive; their names."""
        if "docker" not in {pool.launcher.get() for pool in self.pools}:
            return []
        from extensions.dockering import sweep_containers

        return sweep_containers(self.fleet, alive)

    def close(self, wait: Callable[[Coroutine[Any, Any, None]], None]) -> None:
        """End the launcher, if it was ever made."""
        if "launcher" in vars(self):
            wait(self.launcher.close())

    def _launching(self) -> plugins.Launching:
        return plugins.Launching(
            specs={suite.name: self.spec(suite) for suite in self._suites()},
            slots=self.slots,
            lease_seconds=float(self.pools[0].lease_seconds.get()),
            scratch=Path(self.fleet.local.scratch_dir.get()),
            pools=self.pools,
            fleet=self.fleet,
        )

    def spec(self, suite: Suite) -> HarnessSpec:
        """How the suite's harnesses are started."""
        from attrs import evolve

        identity = self._identity()
        seed = self.fleet.run.seed.get()
        spec = self._framework(suite).harness(
            suite, run=identity, slots=self.slots, seed=int(identity[:8], 16) if seed == "auto" else int(seed)
        )
        own = {"nice": self.pools[0].nice.get(), "carries": self._carries(suite)}
        return evolve(spec, options={**spec.options, **own})

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

    def limits(self) -> Limits:
        """Spans and budgets of the protocol, from the settings."""
        from pipeline.protocol.limits import Limits

        pool, run = self.pools[0], self.fleet.run
        flush = float(self.fleet.store.flush_seconds.get())
        slow = [suite.slow_after_seconds for suite in self._suites() if suite.slow_after_seconds]
        return Limits(
            lease_seconds=float(pool.lease_seconds.get()),
            max_losses=pool.max_losses.get(),
            max_losses_per_test=pool.max_losses_per_test.get(),
            test_timeout_seconds={
                suite.name: suite.timeout_seconds for suite in self._suites() if suite.timeout_seconds
            },
            retries={suite.name: suite.retries for suite in self._suites()},
            slow_after_seconds=min(slow, default=float("inf")),
            run_timeout_seconds=run.timeout_seconds.get(),
            flush_seconds=flush,
            idle_seconds=2 * flush,
            hear_seconds=max(0.4, flush),
        )
