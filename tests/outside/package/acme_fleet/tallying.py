"""The reporter `tally`: a file with a line for each verdict and its count."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from pipeline.model.events import Event, TestFinished
from pipeline.model.runs import MergedRun
from pipeline.ports import Reporter


def tally(folder: Path, reproduce: Callable[[str], str]) -> Reporter:
    """What the entry point names."""
    return Tally(folder)


class Tally:
    """Counts while the run goes on, writes at its end."""

    name = "tally"

    def __init__(self, folder: Path) -> None:
        self._path = folder / "tally.txt"
        self._seen = 0

    def event(self, event: Event) -> None:
        """Count tests that finish."""
        self._seen += isinstance(event, TestFinished)

    def finish(self, run: MergedRun) -> Sequence[str]:
        """Write the counts."""
        lines = [f"{verdict} {count}" for verdict, count in sorted(run.counts.items()) if count]
        self._path.write_text("\n".join([*lines, f"seen {self._seen}", ""]), encoding="utf-8")
        return [str(self._path)]
