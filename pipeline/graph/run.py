"""Our replacement of doit's `run` command: orderly stops, documented exit codes, hints.

Delegates wholly to doit's own in projects that do not use our loader.
"""

from __future__ import annotations

import codecs
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TextIO

from doit.action import PythonAction  # type: ignore[import-untyped]
from doit.cmd_run import Run as DoitRun  # type: ignore[import-untyped]
from doit.cmdparse import CmdParseError  # type: ignore[import-untyped]
from doit.control import TaskControl  # type: ignore[import-untyped]
from doit.exceptions import InvalidCommand  # type: ignore[import-untyped]
from doit.task import Stream  # type: ignore[import-untyped]

from pipeline.errors import EXIT_UNTRUSTWORTHY
from pipeline.graph.conversion import FleetTask
from pipeline.graph.hints import WORKERS, explain_parse_error
from pipeline.graph.loader import CatalogLoader
from pipeline.graph.reporter import FleetReporter
from pipeline.graph.runner import Orderly, SerialRunner, ThreadRunner
from pipeline.graph.stop import signals_to


class Run(DoitRun):  # type: ignore[misc]
    """The command `run`, also when it is not named."""

    name = "run"

    def parse_execute(self, in_args: Sequence[str]) -> int:
        """Parse and execute; options that cannot be parsed get a hint."""
        if not isinstance(self.loader, CatalogLoader):
            return int(super().parse_execute(in_args))
        try:
            return int(super().parse_execute(in_args))
        except CmdParseError as error:
            raise CmdParseError(explain_parse_error(str(error), in_args)) from error

    def execute(self, params: Mapping[str, Any], args: Sequence[str]) -> int:
        """Load and run. Returns the exit code."""
        if not isinstance(self.loader, CatalogLoader) or _wants_processes(params):
            return int(super().execute(params, args))
        stop, code = self.loader.stop, EXIT_UNTRUSTWORTHY
        with signals_to(stop):
            try:
                code = int(super().execute(params, args))
            except KeyboardInterrupt:
                code = stop.exit_code or 130
            finally:
                stop.interruptible = False
                self.loader.composition.ended(code)
                self.loader.composition.close()
        return code

    def _execute(
        self,
        outfile: TextIO | str,
        verbosity: int | None = None,
        always: bool = False,
        continue_: bool = False,
        reporter: Any = "console",
        num_process: int = 0,
        par_type: str = "process",
        single: bool = False,
        auto_delayed_regex: bool = False,
        force_verbosity: bool = False,
        failure_verbosity: int = 0,
        pdb: bool = False,
    ) -> int:
        if not isinstance(self.loader, CatalogLoader) or (num_process and par_type == "process"):
            everything = {name: value for name, value in locals().items() if name not in ("self", "__class__")}
            return int(super()._execute(**everything))
        if par_type not in ("thread", "process"):
            raise InvalidCommand(f"there is no parallel type {par_type!r}, use 'thread' or 'process'")
        PythonAction.pm_pdb = pdb
        self._select(single, auto_delayed_regex)
        self._hint(num_process)
        with _opened(outfile) as out:
            chosen = self._reporter(reporter, out, failure_verbosity, verbosity)
            stream = Stream(verbosity, force_verbosity)
            runner = self._runner(num_process, chosen, continue_, always, stream)
            return runner.run_all(self.control.task_dispatcher())

    def _select(self, single: bool, auto_delayed_regex: bool) -> None:
        self.control = TaskControl(self.task_list, auto_delayed_regex=auto_delayed_regex)
        self.control.process(self.sel_tasks)
        for name in self.control.selected_tasks if single else ():
            task = self.control.tasks[name]
            members = [self.control.tasks[member] for member in task.task_dep] if task.has_subtask else [task]
            for member in members:
                member.task_dep = []

    def _hint(self, num_process: int) -> None:
        tasks = (self.control.tasks[name] for name in self.control.selected_tasks)
        if num_process and all(isinstance(task, FleetTask) for task in tasks):
            sys.stderr.write(WORKERS.format(number=num_process))

    def _reporter(self, reporter: Any, out: TextIO, failure_verbosity: int, verbosity: int | None) -> Any:
        made = self.reporters[reporter] if isinstance(reporter, str) else reporter
        if isinstance(made, type):
            made = made(out, {"failure_verbosity": failure_verbosity})
        if isinstance(made, FleetReporter):
            made.explain, made.clear = verbosity == 2, self.loader.composition.clear
        return made

    def _runner(self, count: int, reporter: Any, go_on: bool, always: bool, stream: Stream) -> Orderly:
        arguments = (self.dep_manager, reporter, go_on, always, stream)
        runner: Orderly = ThreadRunner(*arguments, count) if count else SerialRunner(*arguments)
        runner.stop = self.loader.stop
        runner.userland = self.loader.userland
        return runner


def _wants_processes(params: Mapping[str, Any]) -> bool:
    return bool(params.get("num_process")) and params.get("par_type") == "process"


@contextmanager
def _opened(outfile: TextIO | str) -> Iterator[TextIO]:
    if not isinstance(outfile, str):
        yield outfile
        return
    with codecs.open(outfile, "w", encoding="utf-8") as file:
        yield file
