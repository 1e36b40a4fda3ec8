"""What all tests of a run share: held on the agent's machine from before the first test until behind the last.

Joins suites, workers and the holder; the stage that leads only opens and closes it.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.adapters.held_setups import MARK, HeldSetUps
from pipeline.errors import EngineError, Stopped, UsageError
from pipeline.model.labels import told_to_tests

if TYPE_CHECKING:
    from extensions.workforce import Workforce
    from pipeline.model.suites import Suite

MARGIN_SECONDS = 10.0
"""Beyond what tear-downs may take by themselves."""


@asynccontextmanager
async def shared(
    workforce: Workforce,
    suites: Iterable[Suite],
    left: Collection[str],
    run: str,
    stop: Any,
    tell: Callable[[str], None],
) -> AsyncIterator[None]:
    """While inside, what suites share in this run stands, and its exports are variables of their tests.

    Only suites that have tests `left`, and those of which something stands: it must be torn down.
    Raises `EngineError` when it cannot be set up, `Stopped`, `UsageError`; `tell` takes warnings.
    """
    holding = [suite for suite in suites if suite.command is not None and suite.command.of_run]
    holding = [suite for suite in holding if suite.name in left or _stands(suite)]
    if holding and workforce.fleet.join.name.get():
        raise UsageError(
            f"suite {holding[0].name!r} has a set-up per run, but several jobs share this run",
            hint='per = "worker", or a job of its own before them',
        )
    async with AsyncExitStack() as stack:
        for suite in holding:
            exports = await stack.enter_async_context(_held(workforce, suite, run, stop, tell))
            workforce.specs[suite.name].env.update(exports)  # Launchers read it when they start a harness.
        yield


def _stands(suite: Suite) -> bool:
    from pipeline.frameworks.command import held_options

    return any(Path(str(held_options(suite)["folder_of_notes"])).glob("*.json"))


@asynccontextmanager
async def _held(
    workforce: Workforce, suite: Suite, run: str, stop: Any, tell: Callable[[str], None]
) -> AsyncIterator[Mapping[str, str]]:
    from pipeline.frameworks.command import held_options

    assert suite.command is not None
    order = {"options": held_options(suite), "root": suite.root, "run": run, "stays": workforce.is_apart}
    mark = {MARK: f"holder-{secrets.token_hex(8)}"}
    env = {**workforce.fleet.environment, **suite.env, **told_to_tests(run), **mark}
    holder = await HeldSetUps.begin(order, env)
    loop = asyncio.get_running_loop()
    try:
        with stop.calling(lambda number: loop.call_soon_threadsafe(holder.stop)):
            exports = await holder.exports(suite.name)
    except EngineError as error:
        if stop.signal_number:
            text = f"run {run!r} stays open: it was stopped while what suite {suite.name!r} shares was set up"
            raise Stopped(text, signal_number=stop.signal_number) from error
        error.hint = "no test of this run has begun since; the same command tries again"
        raise
    for text in exports.warnings:
        tell(text)
    try:
        yield exports.values
    finally:
        for text in await holder.end(suite.command.hold_seconds + MARGIN_SECONDS):
            tell(text)
