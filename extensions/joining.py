"""What joining needs from this machine: inputs as all machines spell them, where this job is, how its workers send home.

Paths of the checkout, of its interpreter and of what is installed differ between machines, and must not decide.
"""

from __future__ import annotations

import asyncio
import platform
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from extensions.deciding import MOST_FILES, deciding_settings, declared_environment, digest
from extensions.join import expected_jobs, name_of_run
from pipeline.adapters.installed import distributions
from pipeline.errors import UsageError
from pipeline.stages.agent import Joined

if TYPE_CHECKING:
    from extensions.agent import LocalAgent
    from extensions.fleet import Fleet
    from pipeline.model.suites import HarnessSpec, Suite
    from pipeline.ports import Clock, Store

HERE = "<project>"
"""Stands for the checkout's path."""


def joined(agent: LocalAgent) -> Joined | None:
    """What the settings say of joining; None: this job works alone. Raises `UsageError` for what cannot be joined with."""
    fleet = agent.fleet
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
    url = str(fleet.store.url.get())
    if "://" not in url and Path(fleet.project.state_dir.get()) in (Path(url), *Path(url).parents):
        raise UsageError(
            f"run {name!r} cannot be joined: the store is a folder of this checkout",
            hint="store.url must name one that all jobs reach: a shared folder, or s3://…",
        )
    return Joined(
        run=name,
        jobs=expected_jobs(fleet.join, fleet.environment),
        all_decide=fleet.join.exit_code.get() == "all",
        place=platform.node() or "unknown host",
    )


def shared_inputs(
    fleet: Fleet, suites: Sequence[Suite], files: Mapping[str, str], root: Path
) -> dict[str, dict[str, str]]:
    """What decides verdicts, by part and name, spelled the same wherever it is the same."""
    found: dict[str, dict[str, str]] = {
        "sources": dict(files) if len(files) <= MOST_FILES else {"all files": digest(dict(files))},
        "variables": declared_environment(fleet),
        "machine": {"platform": f"{sys.platform} {platform.machine()}", "doit-fleet": version("doit-fleet")},
    }
    for suite in suites:
        interpreter = suite.interpreter
        found["machine"][f"Python of suite {suite.name}"] = ".".join(map(str, interpreter.version))
        found[f"packages of suite {suite.name}"] = distributions(
            interpreter.path, {str(root): HERE, interpreter.prefix: "<prefix>"}
        )
        found[f"settings of suite {suite.name}"] = {
            name: _spelled(value, root) for name, value in deciding_settings(suite).items() if name != "python"
        }
    return found


def _spelled(value: object, root: Path) -> str:
    """A digest: values may be secret."""
    return digest(_without(value, str(root)))[:16]


def _without(value: Any, root: str) -> Any:
    if isinstance(value, str):
        return value.replace(root, HERE)
    if isinstance(value, Mapping):
        return {name: _without(each, root) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_without(each, root) for each in value]
    return value


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
