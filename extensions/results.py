"""Results of earlier runs: said again while they stand, remembered when new, removed when old."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.adapters.remembered import Remark, Remembered
from pipeline.errors import typed
from pipeline.model.runs import MergedRun

if TYPE_CHECKING:
    from extensions.fleet import Fleet
    from pipeline.ports import Clock, Store

DAY = 86_400.0


class Results:
    """What is known of runs in this project."""

    def __init__(self, fleet: Fleet, state: Path, clock: Clock) -> None:
        self._fleet, self._state, self._clock = fleet, state, clock
        self._remembered = Remembered(state)

    def folder(self, run: str) -> Path:
        """Where a run's own copy of its reports is."""
        return self._state / "reports" / run

    def reports(self, run: str) -> list[Path]:
        """Those copies; none: the run did not end here, or they were removed."""
        folder = self.folder(run)
        return sorted(folder.iterdir()) if folder.is_dir() else []

    def prune_reports(self, latest: str) -> None:
        """Remove copies beyond what the settings keep, but the latest run's."""
        folders = [path for path in self.folder(latest).parent.glob("*") if path.is_dir() and path.name != latest]
        ended = {path: path.stat().st_mtime for path in folders}
        oldest = self._clock.wall() - self._fleet.reports.keep_days.get() * DAY
        for path in sorted(folders, key=lambda path: -ended[path])[max(0, self._fleet.reports.keep_runs.get() - 1) :]:
            if ended[path] < oldest:
                shutil.rmtree(path, ignore_errors=True)

    def failed(self) -> dict[str, list[str]]:
        """Native ids by suite whose latest verdict was bad."""
        return self._remembered.failed()

    def told_again(self, identity: str) -> str:
        """The line for a result that still stands."""
        from pipeline.report.summary import up_to_date

        remark = self._remembered.result(identity)
        if remark is None:
            return typed("up to date; `doit -a` runs regardless")
        run = MergedRun(run=remark.run, plan="", counts=dict(remark.counts), seconds=remark.seconds)
        return up_to_date(run, age_seconds=self._clock.wall() - remark.ended)

    def remember(self, identity: str, run: MergedRun) -> None:
        """Take over a run."""
        remark = Remark(
            identity=identity,
            run=run.run,
            exit_code=run.exit_code,
            counts=run.counts,
            ended=self._clock.wall(),
            seconds=run.seconds,
            is_mixed=run.mixed,
        )
        self._remembered.learn(remark, run)

    def prune_logs(self) -> None:
        """Remove old logs of agents that have ended."""
        from pipeline.adapters.scratch import KEPT_SECONDS, sweep_scratch

        sweep_scratch(Path(self._fleet.local.scratch_dir.get()), older_than_seconds=KEPT_SECONDS)

    async def prune(self, store: Store, latest: str) -> None:
        """Remove closed runs beyond what the settings keep."""
        from pipeline.protocol.sweeping import delete_run, list_runs

        runs = [run.name for run in await list_runs(store, self._clock) if run.is_closed and run.name != latest]
        keep, days = self._fleet.store.keep_runs.get(), self._fleet.store.keep_days.get()
        for name in self._remembered.too_old(runs, keep=keep, days=days):
            if not await self._is_young(store, name, days):
                await delete_run(store, self._clock, name)

    async def _is_young(self, store: Store, run: str, days: int) -> bool:
        """Whether a run that may be another machine's has ended in these days: others may still want its result. By its
        clock, which may be wrong by hours, not by days."""
        from pipeline.protocol.certain import CertainStore
        from pipeline.protocol.gathering import read_ending

        ending = await read_ending(CertainStore(store, self._clock), run)
        return ending is not None and self._clock.wall() - ending.wall < days * DAY
