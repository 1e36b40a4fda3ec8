"""What doit itself says: errors in plain words, and with `-v 2` a line per task on why it runs or need not.

Everything else on the terminal belongs to our console. Writes to stderr, so that answers on stdout stay clean.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any, TextIO

from doit.exceptions import BaseFail, UnmetDependency  # type: ignore[import-untyped]

from pipeline.graph.action import FleetFailure
from pipeline.graph.conversion import FleetTask


class FleetReporter:
    """The reporter called `fleet`. `explain` is set by the run command for `-v 2`."""

    desc = "errors only; with -v 2 why each task runs"
    explain = False

    def __init__(self, outstream: TextIO, options: Mapping[str, Any]) -> None:
        self._out = sys.stderr if outstream is sys.stdout else outstream
        self._show_output = options.get("failure_verbosity", 0) > 0
        self._errors: list[str] = []
        self.clear: Callable[[], None] = lambda: None
        """Called before an error is said, lest a region that is redrawn wipes it out."""

    def initialize(self, tasks: Any, selected_tasks: Any) -> None:
        """Nothing to say yet."""

    def get_status(self, task: Any) -> None:
        """Nothing to say: the answer follows."""

    def execute_task(self, task: Any) -> None:
        """With `-v 2` say why the task runs."""
        if self.explain and task.actions:
            reasons = task.freshness.reasons or ["it was asked for"] if isinstance(task, FleetTask) else []
            self._line(f"{task.name} runs: {'; '.join(reasons)}" if reasons else f"{task.name} runs")

    def skip_uptodate(self, task: Any) -> None:
        """With `-v 2` say that it need not run."""
        if self.explain:
            self._line(f"{task.name} is up to date")

    def skip_ignore(self, task: Any) -> None:
        """Always say so: an ignored task is easily forgotten."""
        self._line(f"{task.name} is ignored (doit forget {task.name} ends that)")

    def add_success(self, task: Any) -> None:
        """Success is silent."""

    def add_failure(self, task: Any, fail: BaseFail) -> None:
        """Say what failed; for the user's own tasks with what they had printed."""
        self.clear()
        if isinstance(fail, UnmetDependency):
            self._line(f"{task.name} did not run: {fail.message} failed")
        elif isinstance(fail, FleetFailure):
            if fail.message:
                self._line(f"{task.name}: {fail.message}")
        elif fail.report:
            self._line(f"{task.name}: {fail.get_msg().rstrip()}")
            self._captured(task)

    def teardown_task(self, task: Any) -> None:
        """Tearing down is silent."""

    def cleanup_error(self, exception: BaseFail) -> None:
        """A teardown failed."""
        self._line(exception.get_msg().rstrip())

    def runtime_error(self, msg: str) -> None:
        """The run cannot go on; said last, where it is seen."""
        self.clear()
        self._errors.append(msg)

    def complete_run(self) -> None:
        """Say what ended the run."""
        for error in self._errors:
            self._line(error)
        self._errors.clear()

    def _captured(self, task: Any) -> None:
        if not task.executed:
            return
        for attribute in ("out", "err"):
            hidden = task.verbosity is not None and task.verbosity < (2 if attribute == "out" else 1)
            text = "".join(getattr(action, attribute) or "" for action in task.actions)
            if text.strip() and (hidden or self._show_output):
                self._line(text.rstrip())

    def _line(self, text: str) -> None:
        self._out.write(f"{text}\n")
        self._out.flush()
