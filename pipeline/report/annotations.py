"""GitHub Actions: failures as annotations, and test output kept from being read as workflow commands.

Knows the format of workflow commands (`::error file=…,line=…::text`, docs.github.com "workflow commands") and nothing
of streams.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from pipeline.model.verdicts import Result
from pipeline.report.inert import inert, inert_line

Locate = Callable[[str], str]
"""The file of a test relative to the repository, from its id; empty when there is none."""

LIMIT: Final = 10
"""GitHub shows no more annotations of a kind for one step."""

_COMMAND_LINE: Final = re.compile(r"^\s*::", re.MULTILINE)


def annotation(result: Result, locate: Locate) -> str:
    """The workflow command that marks a failed test in the changed files' view."""
    path = locate(result.test)
    properties = [f"title={_property(f'{result.verdict.value}: {result.test}')}"]
    if path:
        line = _line(result, path)
        properties = [f"file={_property(path)}", *([f"line={line}"] if line else []), *properties]
    text = result.message or f"{result.verdict.value}, see the log"
    return f"::error {','.join(properties)}::{_data(text)}"


def guarded(text: str, *, token: str = "") -> str:
    """Wrap a text so that no line of it is obeyed; unchanged when nothing in it looks like a command."""
    if not _COMMAND_LINE.search(text):
        return text
    if not token:
        import secrets

        token = secrets.token_hex(16)
    return f"::stop-commands::{token}\n{text}\n::{token}::"


def file_in_native_id(test: str) -> str:
    """The default `Locate`: what stands between suite and first name, as in pytest's ids."""
    return test.partition("::")[2].partition("::")[0]


def _line(result: Result, path: str) -> int:
    """The last line of the test's own file that the failure names, 0 when it names none."""
    pattern = re.compile(rf"^(?:\S*/)?{re.escape(path.rpartition('/')[2])}:(\d+):", re.MULTILINE)
    for phase in reversed(result.phases):
        lines = pattern.findall(phase.details)
        if lines:
            return int(lines[-1])
    return 0


def _data(text: str) -> str:
    return inert(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(inert_line(text)).replace(":", "%3A").replace(",", "%2C")
