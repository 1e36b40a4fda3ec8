"""What joining needs from this machine: where this job is, how its workers send home."""

from __future__ import annotations

import asyncio
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from extensions.join import expected_jobs, name_of_run
from extensions.own_share import host_of, share_of
from pipeline.errors import UsageError
from pipeline.stages.agent import Joined

if TYPE_CHECKING:
    from extensions.agent import LocalAgent
    from pipeline.model.suites import HarnessSpec
    from pipeline.ports import Clock, Store


def joined(agent: LocalAgent) -> Joined | None:
    """What the settings say of joining; None: this job works alone. Raises `UsageError` for what cannot be joined with."""
    fleet = agent.fleet
    share = share_of(fleet, agent.workforce.slots)
    name = name_of_run(fleet.join, fleet.project.name.get(), fleet.environment)
    if not name:
        return None
    if agent.workforce.launcher_name != "local":
        raise UsageError(
            f"run {name!r} cannot be joined: workers.launcher is {agent.workforce.launcher_name!r}",
            hint="jobs that join bring local workers; one job is enough to have workers elsewhere",
        )
    if agent.workforce.in_foreground:
        raise UsageError(f"run {name!r} cannot be joined in the foreground", hint="workers.count must not be 0")
    if not agent.joins.is_shared:
        raise UsageError(
            f"run {name!r} cannot be joined: the store is a folder of this checkout",
            hint="store.url must name one that all jobs reach: a shared folder, or s3://…",
        )
    return Joined(
        run=name,
        jobs=1 if share else expected_jobs(fleet.join, fleet.environment),
        all_decide=fleet.join.exit_code.get() == "all",
        place=host_of(fleet) or platform.node() or "unknown host",
        share=share,
    )


class Parting:
    """Sends home what tests have left on this machine, once for all its workers: they work in one checkout.

    The last one that is at work sends; what changes later goes with the next one.
    """

    def __init__(self, store: Store, clock: Clock, run: str, specs: Mapping[str, HarnessSpec], logs: Path) -> None:
        self._store, self._clock, self._run, self._specs, self._logs = store, clock, run, specs, logs
        self._since = clock.wall()
        self._turn = asyncio.Lock()

    async def send(self, worker: str) -> None:
        """Send what has changed since the last time. Raises `FleetError`."""
        from pipeline.launchers.outputs import send_outputs
        from pipeline.protocol.certain import CertainStore

        async with self._turn:
            since, self._since = self._since, self._clock.wall()
            store = CertainStore(self._store, self._clock)
            await send_outputs(store, self._run, worker, self._specs, self._logs, since=since)
