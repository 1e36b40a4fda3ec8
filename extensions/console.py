"""The console: how a run looks in the terminal."""

from __future__ import annotations

from pipeline.settings import kinds
from pipeline.settings.choice import Choice
from pipeline.settings.declaration import setting
from pipeline.settings.extension import Extension


class Console(Extension):
    """What is printed while a run goes on."""

    style = setting(Choice("auto", "live", "plain", "quiet"), "auto")
    """`live` is one region that is redrawn, `plain` prints lines, `quiet` only the summary. `auto`: live in a terminal,
    plain in CI or a pipe."""

    groups = setting(kinds.switch, "auto")
    """Whether the end of each group of tests is a line: of those that share a set-up's key, or a file. "auto": of suites of
    commands."""

    interval_seconds = setting(kinds.duration, 30)
    """The longest silence in style `plain` while tests run."""
