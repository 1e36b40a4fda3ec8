"""metrics.csv: what tests have measured, a line for each test that has, a column for each metric.

Metrics are the properties of results that are numbers or short texts, whoever wrote them. Spreadsheets run what looks like a
formula: such texts are written so that they stay texts.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from pipeline.model.events import Event
from pipeline.model.runs import MergedRun, Outcome
from pipeline.report.inert import inert_line
from pipeline.report.merged_results import RESULTS
from pipeline.report.writing import whole_file

NAME: Final = "metrics.csv"
FIRST: Final = ("test", "verdict", "seconds", "worker", "attempt", "host", "queue")
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


class MetricsReport:
    """Writes metrics.csv when a run ends, if any test has measured a number."""

    name = "metrics"

    def __init__(self, directory: Path) -> None:
        self._path = directory / NAME

    def event(self, event: Event) -> None:
        """Only the end counts."""

    def finish(self, run: MergedRun) -> Sequence[str]:
        """Write the file; none when nothing was measured, and one of an earlier run is removed."""
        rows = [(outcome, measured) for outcome in run.outcomes if (measured := metrics_of(outcome))]
        if not any(isinstance(value, int | float) for _, measured in rows for value in measured.values()):
            self._path.unlink(missing_ok=True)
            return ()
        places = run.places()
        columns = list(dict.fromkeys(name for _, measured in rows for name in measured))
        with whole_file(self._path) as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow([*FIRST, *map(cell, columns)])
            for outcome, measured in rows:
                result = outcome.result
                place = places.get(outcome.worker)
                where = [place.host, place.queue] if place else ["", ""]
                told = [result.test, result.verdict.value, result.seconds, outcome.worker, outcome.attempt, *where]
                writer.writerow([*map(cell, told), *(cell(measured.get(name, "")) for name in columns)])
        return (str(self._path),)


def metrics_of(outcome: Outcome) -> dict[str, Any]:
    """What one test has measured, by name; of a name that comes again the last value."""
    properties = outcome.result.properties
    return {name: value for name, value in properties if name != RESULTS and isinstance(value, str | int | float)}


def cell(value: object) -> object:
    """A value as no spreadsheet takes it for a formula."""
    if not isinstance(value, str):
        return value
    text = inert_line(value)
    return f"'{text}" if text.startswith(FORMULA) else text
