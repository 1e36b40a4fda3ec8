"""Everybody who reads events: the console and the reports that the settings name, made when the first event comes.

Events reach them one at a time, with the agent's wall clock. A reporter that fails is told about and left out.
"""

from __future__ import annotations

import shutil
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import evolve

from extensions import plugins

if TYPE_CHECKING:
    from extensions.fleet import Fleet
    from pipeline.model.events import Event
    from pipeline.model.runs import MergedRun
    from pipeline.ports import Reporter
    from pipeline.report.console import ConsoleReporter

FILES = {
    "junit": "junit.xml",
    "ctrf": "ctrf.json",
    "events": "events.jsonl",
    "trace": "trace.json",
    "html": "index.html",
}
"""What the built-in formats are made of."""
WITHOUT_EVENTS = ("junit", "ctrf", "html", "metrics", "results")
"""Formats that need a run's outcomes only, which the store holds."""


class Reporting:
    """The readers of one process's events."""

    def __init__(self, fleet: Fleet, reproduce: Callable[[str], str], locate: Callable[[str], str]) -> None:
        self._fleet, self._reproduce, self._locate = fleet, reproduce, locate
        self._lock = threading.Lock()
        self._begun = False

    @property
    def folder(self) -> Path:
        """Where reports are written."""
        folder: Path = self._fleet.reports.dir.get()
        return folder

    @property
    def paths(self) -> list[Path]:
        """The files of the built-in formats in use."""
        return [self.folder / FILES[name] for name in self._fleet.reports.formats.get() if name in FILES]

    @cached_property
    def console(self) -> ConsoleReporter:
        """The console, not started yet."""
        from pipeline.report.console import console

        github = self._fleet.reports.github.get()
        return console(
            self._fleet.console.style.get(),
            sys.stdout,
            self._fleet.environment,
            now=time.monotonic,
            reproduce=self._reproduce,
            locate=self._locate,
            slowest=self._fleet.reports.slowest.get(),
            interval_seconds=self._fleet.console.interval_seconds.get(),
            github=None if github == "auto" else bool(github),
        )

    @cached_property
    def files(self) -> list[Reporter]:
        """The reporters that write files."""
        self.folder.mkdir(parents=True, exist_ok=True)
        names = self._fleet.reports.formats.get()
        return [plugins.load("reporters", name)(self.folder, self._reproduce) for name in names]

    def emit(self, event: Event) -> None:
        """Tell everybody."""
        with self._lock:
            self._begin()
            stamped = event if event.time else evolve(event, time=time.time())
            for reporter in (self.console, *self.files):
                reporter.event(stamped)

    def expect(self, estimates: Mapping[str, float]) -> None:
        """Tell the console what is to come: seconds by test id."""
        with self._lock:
            self._begin()
            self.console.plan(estimates)

    def finish(self, run: MergedRun, keep: Path) -> None:
        """Write all reports and the summary; the files are copied to `keep` as this run's own."""
        from pipeline.report.finishing import finish_all

        with self._lock:
            self.console.stop()
            written = finish_all(self.files, run)
            self.console.reports, self.console.report_errors = written.paths, (*written.errors, *written.remarks)
            self.console.finish(run)
            _copy(written.paths, keep)

    def show(self, run: MergedRun) -> None:
        """Write the summary of a run whose reports are written elsewhere."""
        with self._lock:
            self._begin()
            self.console.finish(run)

    def rewrite(self, run: MergedRun, folder: Path) -> list[Path]:
        """Write those reports of a run into `folder` that need no events. Raises `EngineError`."""
        from pipeline.report.finishing import file_reporters

        folder.mkdir(parents=True, exist_ok=True)
        names = [name for name in self._fleet.reports.formats.get() if name in WITHOUT_EVENTS] or list(WITHOUT_EVENTS)
        reporters = file_reporters(names, folder, self._reproduce)
        return [Path(path) for reporter in reporters for path in reporter.finish(run)]

    def say(self, text: str) -> None:
        """Print a line that is no event."""
        if self._begun:
            self.console.stop()
        print(text, flush=True)

    def clear(self) -> None:
        """Take the live region off the terminal, if there is one."""
        if self._begun:
            self.console.stop()

    def close(self) -> None:
        """Leave the terminal as it was."""
        if self._begun:
            self.console.stop()
            for reporter in self.files:
                if hasattr(reporter, "flush"):
                    reporter.flush()

    def _begin(self) -> None:
        if not self._begun:
            self.files  # noqa: B018 # Made before anything is said, so that a wrong name ends the command here.
            self.console.start()
            self._begun = True


def _copy(paths: Sequence[str], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for path in paths:
        shutil.copy2(path, folder)
