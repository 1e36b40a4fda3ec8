"""Everybody who reads events: the console and the reports that the settings name, made when the first event comes.

Events reach them one at a time, with the agent's wall clock. A reporter that fails is told about and left out.
"""

from __future__ import annotations

import shutil
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
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
    from pipeline.report.groups import Groups
    from pipeline.report.output_files import OutputFiles
    from pipeline.report.run_ended import RunEnded

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


def _is_there(log: str) -> bool:
    """Whether a worker's log, which may be a pattern, is on this machine."""
    from glob import glob

    return bool(glob(log))


class Reporting:
    """The readers of one process's events."""

    def __init__(self, fleet: Fleet, reproduce: Callable[[str], str], locate: Callable[[str], str]) -> None:
        self._fleet, self._reproduce, self._locate = fleet, reproduce, locate
        self._lock = threading.Lock()
        self._begun = False
        self._broken: set[str] = set()
        """Reporters that have failed: they are left out from then on."""

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
        made = console(
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
        made.log_of, made.has_log = self.outputs.path_of, _is_there
        return made

    @cached_property
    def outputs(self) -> OutputFiles:
        """Writes what each test printed into a file of its own."""
        from pipeline.report.output_files import OutputFiles

        return OutputFiles(self.folder, lambda suite: self._wants(self._fleet.reports.output.get(), suite))

    @cached_property
    def ended(self) -> RunEnded:
        """Remembers what hooks are told."""
        from pipeline.report.run_ended import RunEnded

        return RunEnded(self.outputs.path_of)

    @property
    def has_run(self) -> bool:
        """Whether a run began or went on in this process."""
        return self._begun and self.ended.has_begun

    @cached_property
    def groups(self) -> Groups:
        """The groups of tests whose ends are told."""
        from pipeline.report.groups import Groups

        return Groups()

    @cached_property
    def files(self) -> list[Reporter]:
        """The reporters that write files. One that cannot be made is told about and left out."""
        found: list[Reporter] = []
        for name in self._fleet.reports.formats.get():
            factory = plugins.load("reporters", name)
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                found.append(factory(self.folder, self._reproduce))
            except Exception as error:
                self._leave_out(name, error)
        return found

    def emit(self, event: Event) -> None:
        """Tell everybody. Never raises for what a reporter does."""
        with self._lock:
            self._begin()
            stamped = event if event.time else evolve(event, time=time.time())
            self._tell(stamped)
            finished = self.groups.take(stamped)
            if finished is not None:
                self._tell(finished)

    def _tell(self, event: Event) -> None:
        everybody: list[Reporter] = [self.outputs, self.ended, self.console, *self.files]
        for reporter in everybody:
            if reporter.name not in self._broken:
                try:
                    reporter.event(event)
                except Exception as error:
                    self._leave_out(reporter.name, error)

    def _leave_out(self, name: str, error: Exception) -> None:
        """A reporter must not change a verdict: say what became of it, and go on without it."""
        from pipeline.model.events import Notice

        self._broken.add(name)
        text = f"reporter {name!r} failed and is left out from now on: {type(error).__name__}: {error}"
        if self.console.name in self._broken:
            print(text, file=sys.stderr, flush=True)
        else:
            self.console.event(Notice(level="warning", text=text, time=time.time()))

    def _wants(self, wish: object, suite: str) -> bool:
        """Whether something is done for a suite; "auto": for those of commands."""
        if wish != "auto":
            return bool(wish)
        named = (name for name in self._fleet.suites.names() if suite == name or suite.startswith(f"{name}-py"))
        return any(self._fleet.suites[name].framework.get() == "command" for name in named)

    def expect_groups(self, tests: Iterable[tuple[str, str, str, str]], done: Collection[str]) -> None:
        """Take the tests of a run as (id, suite, native id, group), and ids of those that are done already."""
        wish = self._fleet.console.groups.get()
        wanted: dict[str, bool] = {}
        with self._lock:
            self.groups.expect(
                (
                    (test, suite, group)
                    for test, suite, native, group in tests
                    if group != native and wanted.setdefault(suite, self._wants(wish, suite))
                ),
                done,
            )

    def check(self) -> None:
        """See that hooks can be told. Raises `UsageError`."""
        if self._fleet.hooks.names():
            from extensions.hooking import check

            check(self._fleet)

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
            self.ended.finish(run)
            whole = [each for each in (self.outputs, *self.files) if each.name not in self._broken]
            first = finish_all([each for each in whole if each is self.outputs], run)
            written = finish_all([each for each in whole if each is not self.outputs], run)
            self.console.reports = (*written.paths, *first.paths)
            self.console.report_errors = (*first.errors, *written.errors, *written.remarks)
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
