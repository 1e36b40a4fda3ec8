"""The console that waits for the end: failures and the summary, nothing while the run goes on."""

from __future__ import annotations

from attrs import define

from pipeline.model import events as e
from pipeline.report.console import ConsoleReporter


@define(slots=False)
class QuietConsole(ConsoleReporter):
    """Says nothing before `finish`."""

    def event(self, event: e.Event) -> None:
        """Count only."""
        self.progress.take(event, self.now())

    def say(self, text: str) -> None:
        """Write a block; a reader that has gone away is no error of the run."""
        try:
            self.stream.write(text + "\n")
            self.stream.flush()
        except (OSError, ValueError):
            return
