"""doit's runners, made orderly: exit codes by severity, one teardown, and a stop that keeps what is finished.

Knows errors and signals; not what tasks do.
"""

from __future__ import annotations

import threading
from contextlib import nullcontext
from queue import Queue
from typing import Any

from doit.action import CmdAction  # type: ignore[import-untyped]
from doit.exceptions import BaseFail, DependencyError, TaskFailed, UnmetDependency  # type: ignore[import-untyped]
from doit.runner import MThreadRunner, Runner  # type: ignore[import-untyped]

from pipeline.errors import EXIT_TESTS_FAILED, EXIT_UNTRUSTWORTHY, FleetError
from pipeline.graph.action import FleetFailure
from pipeline.graph.conversion import FleetTask
from pipeline.graph.freshness import DigestFailed
from pipeline.graph.stop import Interrupted, Stop
from pipeline.graph.userland import Userland


def severity(failure: BaseFail) -> int:
    """The exit code one failure asks for; of several the highest number wins (a stop above all).

    A task that could not run because another failed adds nothing: the other has said it.
    """
    if isinstance(failure, FleetFailure):
        return failure.error.exit_code
    if isinstance(failure, UnmetDependency):
        return 0
    return EXIT_TESTS_FAILED if isinstance(failure, TaskFailed) else EXIT_UNTRUSTWORTHY


class Orderly(Runner):  # type: ignore[misc]
    """What both runners share. `selected` are the tasks whose result is said again when they are up to date."""

    stop: Stop
    userland: Userland
    exit_code = 0

    def run_all(self, task_dispatcher: Any) -> int:
        """Run, and return the exit code as documented in `pipeline.errors`."""
        self.stop.interruptible = False
        self.selected = frozenset(task_dispatcher.selected_tasks)
        try:
            doit_result = super().run_all(task_dispatcher)
        except KeyboardInterrupt:
            doit_result = 0 if self.stop.signal_number else 130
        except FleetError as error:
            self.reporter.runtime_error(str(error))
            doit_result = error.exit_code
        code = self.exit_code or int(doit_result)
        return max(code, self.stop.exit_code)

    def run_tasks(self, task_dispatcher: Any) -> None:
        """Run them; a failure to take part in the run is reported by `finish`."""
        try:
            super().run_tasks(task_dispatcher)
        except FleetError as error:
            self.reporter.runtime_error(str(error))
            self.exit_code = max(self.exit_code, error.exit_code)

    def select_task(self, node: Any, tasks_dict: Any) -> bool:
        """Decide whether to run a task; one of ours that is to run counts as not succeeded from here on."""
        if self.stop.signal_number:
            raise Interrupted
        try:
            selected: bool = super().select_task(node, tasks_dict)
        except DigestFailed as failed:
            self._handle_task_error(node, FleetFailure(failed.error))
            return False
        if isinstance(node.task, FleetTask):
            if selected:
                self.dep_manager.remove_success(node.task)
            elif node.run_status == "up-to-date" and node.task.name in self.selected:
                self._say_again(node)
        return selected

    def process_task_result(self, node: Any, base_fail: BaseFail | None) -> None:
        """Save a success; a result that is no JSON fails the task instead of the whole run."""
        try:
            super().process_task_result(node, base_fail)
        except (TypeError, ValueError) as error:
            text = f"the result of {node.task.name} cannot be saved, it is no JSON: {error}"
            self._handle_task_error(node, DependencyError(text))

    def _say_again(self, node: Any) -> None:
        action = node.task.say_again()
        failure = action.execute() if action is not None else None
        if failure is not None:
            self._handle_task_error(node, failure)

    def _handle_task_error(self, node: Any, base_fail: BaseFail) -> None:
        self.exit_code = max(self.exit_code, severity(base_fail))
        super()._handle_task_error(node, base_fail)


class SerialRunner(Orderly):
    """One task after the other, in the main thread."""

    def execute_task(self, task: Any) -> BaseFail | None:
        """Run it, interruptible unless its action takes `stop`; the user's own with the user's own modules."""
        ours = isinstance(task, FleetTask)
        try:
            with self.stop.waiting(), nullcontext() if ours else self.userland.entered():
                return super().execute_task(task)
        except Interrupted as interrupted:
            _end_child(interrupted)
            raise


def _end_child(interrupted: Interrupted) -> None:
    """End the process of an interrupted shell task; doit keeps it in a local variable only."""
    trace = interrupted.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code is CmdAction.execute.__code__ and "process" in trace.tb_frame.f_locals:
            trace.tb_frame.f_locals["process"].terminate()
        trace = trace.tb_next


class ThreadRunner(Orderly, MThreadRunner):  # type: ignore[misc]
    """Several tasks at once, each in a thread; the main thread waits, and is what signals interrupt."""

    def run_tasks(self, task_dispatcher: Any) -> None:
        """Run them; the wait for results is interruptible."""
        self.Queue = lambda: _Results(self.stop)  # Both of doit's queues; only the main thread waits for results.
        super().run_tasks(task_dispatcher)

    def get_next_job(self, completed: Any) -> Any:
        """The next task for a free thread; none once a signal has come, so that those at work can end."""
        return None if self.stop.signal_number else super().get_next_job(completed)

    def teardown(self) -> None:
        """Do nothing: each thread calls this when it ends, while other tasks may still run."""

    def finish(self) -> int:
        """Tear down, once."""
        self.dep_manager.close()
        Runner.teardown(self)
        self.reporter.complete_run()
        return int(self.final_result)


class _Results(Queue[Any]):
    """A queue whose waiting can be interrupted when the main thread does it."""

    def __init__(self, stop: Stop) -> None:
        super().__init__()
        self._stop = stop

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        if threading.current_thread() is not threading.main_thread():
            return super().get(block, timeout)
        with self._stop.waiting():
            return super().get(block, timeout)
