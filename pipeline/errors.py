"""Every error a person may see, with the exit code of its class.

Messages: lower-case fragment, subject first, values with `!r`, known alternatives, then a hint that says what to do.
This module must not import anything of ours.
"""

from __future__ import annotations

from typing import Final

EXIT_GOOD: Final = 0
EXIT_TESTS_FAILED: Final = 1
EXIT_UNTRUSTWORTHY: Final = 2
EXIT_USAGE: Final = 3
EXIT_INTERRUPTED: Final = 130
EXIT_TERMINATED: Final = 143


_SAID: Final = {"command": "doit"}


def call_command(name: str) -> None:
    """From now on texts for people name this command where they are written with `doit`."""
    _SAID["command"] = name


def typed(text: str) -> str:
    """The text with the command as it can be typed here: plain `doit` is not set up in every project."""
    return text.replace("`doit ", f"`{_SAID['command']} ").replace("`doit`", f"`{_SAID['command']}`")


class FleetError(Exception):
    """Base of all errors that are reported without a traceback.

    `hint` says what the reader can do; `exit_code` is what the process ends with; `permanent` says whether trying
    the same thing again is pointless.
    """

    exit_code: int = EXIT_UNTRUSTWORTHY
    permanent: bool = True

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return typed(f"{self.message}\n  hint: {self.hint}" if self.hint else self.message)


class UsageError(FleetError):
    """Wrong settings, arguments or surroundings, noticed before anything ran."""

    exit_code = EXIT_USAGE


class SettingsError(UsageError):
    """A setting has a wrong name, type, value or time of writing; `problems` holds one text for each."""

    problems: tuple[str, ...] = ()


class TestsFailed(FleetError):
    """At least one test has a bad verdict; the run itself is trustworthy."""

    __test__ = False
    exit_code = EXIT_TESTS_FAILED


class UntrustworthyRun(FleetError):
    """A test has no verdict, a budget is spent, or the plan could not be carried out."""


class EngineError(FleetError):
    """An outside system failed in a way that cannot be helped by trying again."""


class PlaceLost(EngineError):
    """The machine where a worker lives cannot be reached, or not any more: no fault of the worker's, and it may come back."""

    permanent = False


class StoreUnavailable(EngineError):
    """The store did not answer or could not be written; the outcome of a write is unknown. Try again."""

    permanent = False


class StoreDamaged(EngineError):
    """Bytes in the store are not what was written: damage before later good records, or another version's layout."""


class Fenced(FleetError):
    """This worker has been given up by another party: its tombstone exists, its later writes do not count."""


class Stopped(FleetError):
    """A signal asked the run to stop; `exit_code` is 128 plus the signal."""

    def __init__(self, message: str, *, signal_number: int, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.exit_code = 128 + signal_number
