"""Runs one of our actions inside doit: hands it what it names, and keeps errors as values with their exit code.

Leaves the terminal alone: our own console owns it, so nothing is captured.
"""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

from doit.action import PythonAction  # type: ignore[import-untyped]
from doit.exceptions import BaseFail, TaskError, TaskFailed  # type: ignore[import-untyped]

from pipeline.errors import FleetError
from pipeline.graph.stop import Stop
from pipeline.graph.task import Action


class FleetFailure(TaskFailed):  # type: ignore[misc]
    """A `FleetError` on its way through doit: a message without a traceback, and an exit code."""

    def __init__(self, error: FleetError) -> None:
        super().__init__(str(error))
        self.error = error

    def __str__(self) -> str:
        return str(self.error)


class FleetAction(PythonAction):  # type: ignore[misc]
    """One `Action` bound to its doit task."""

    def __init__(self, action: Action, stop: Stop) -> None:
        super().__init__(action.call, [], dict(action.arguments))
        self._stop = stop
        self._attends = "stop" in inspect.signature(action.call).parameters

    def execute(self, out: Any = None, err: Any = None) -> BaseFail | None:
        """Call it. Returns None or the failure, as doit wants it."""
        with self._stop.attending() if self._attends else nullcontext():
            try:
                returned = self.py_callable(**self._arguments())
            except FleetError as error:
                return FleetFailure(error)
            except BrokenPipeError:  # Whoever read the answer, `head` say, has seen enough.
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
                return None
            except Exception as error:  # A fault of ours, or of an extension: doit shows the traceback.
                return TaskError("unexpected error", error)
        return self._take(returned)

    def __str__(self) -> str:
        return str(self.py_callable.__name__)

    def _arguments(self) -> dict[str, Any]:
        arguments: dict[str, Any] = self._prepare_kwargs()
        return {**arguments, "stop": self._stop} if self._attends else arguments

    def _take(self, returned: object) -> BaseFail | None:
        if returned is None:
            self.values, self.result = {}, None
            return None
        if not isinstance(returned, Mapping):
            return TaskError(f"{self} must return a mapping or None, not {returned!r}")
        self.values = self.result = dict(returned)
        return None
