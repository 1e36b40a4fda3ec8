"""results-<run>.json: the JSON objects that tests wrote as their results, merged into one, with what could not be.

Objects are merged key by key, however deep. Where two tests give one key a value, both are named and the first one stays:
nothing is overwritten in silence. The run's name in the file's keeps runs apart.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from attrs import define, field

from pipeline.model.events import Event
from pipeline.model.runs import MergedRun, Outcome
from pipeline.model.verdicts import Verdict
from pipeline.report.phrases import count
from pipeline.report.writing import whole_file

RESULTS: Final = "results"
"""The property of a result that holds such objects: a list of them."""


class ResultsReport:
    """Writes the merged results when a run ends, if any test has some."""

    name = "results"

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.remarks: tuple[str, ...] = ()
        """What the summary says of the file."""

    def event(self, event: Event) -> None:
        """Only the end counts."""

    def finish(self, run: MergedRun) -> Sequence[str]:
        """Write the file; none when no test has results."""
        written = [(outcome, one) for outcome in run.outcomes for one in results_of(outcome)]
        if not written:
            return ()
        merging = Merging()
        for outcome, one in written:
            merging.add(outcome.result.test, one)
        self.remarks = tuple(_remarks(merging.duplicates))
        having = {outcome.result.test for outcome, _ in written}
        told = {
            "run": run.run,
            "results": merging.merged,
            "duplicates": merging.duplicates,
            "without": dict(_without(run, having)),
        }
        path = self._directory / f"results-{re.sub(r'[^A-Za-z0-9._-]', '-', run.run)}.json"
        with whole_file(path) as file:
            json.dump(told, file, indent=1)
            file.write("\n")
        return (str(path),)


def _remarks(duplicates: Sequence[dict[str, Any]]) -> Iterator[str]:
    """That results contradict each other, with the first key that does."""
    if duplicates:
        first = duplicates[0]
        key, others = ".".join(map(str, first["key"])), f"{first['kept']!r} and {first['test']!r}"
        yield f"results: {count(len(duplicates), 'key')} came more than once and kept the first value; the first is {key!r}, of {others}"


def results_of(outcome: Outcome) -> list[dict[str, Any]]:
    """The objects that one test wrote."""
    lists = [value for name, value in outcome.result.properties if name == RESULTS and isinstance(value, list)]
    return [one for each in lists for one in each if isinstance(one, dict)]


def _without(run: MergedRun, having: set[str]) -> Iterator[tuple[str, str]]:
    """Tests that have no results, of the suites in which others have: by verdict, or `missing`."""
    suites = {test.partition("::")[0] for test in having}
    for outcome in run.outcomes:
        test = outcome.result.test
        if test not in having and test.partition("::")[0] in suites and outcome.result.verdict is not Verdict.SKIPPED:
            yield test, outcome.result.verdict.value
    for test, _ in run.missing:
        yield test, "missing"


@define
class Merging:
    """One object made of many."""

    merged: dict[str, Any] = field(factory=dict)
    duplicates: list[dict[str, Any]] = field(factory=list)
    """For each key that came again: `key` (a path), `kept` (the test whose value stays), `test` and its `value`."""
    _owners: dict[tuple[str, ...], str] = field(factory=dict)

    def add(self, test: str, one: dict[str, Any]) -> None:
        """Merge another test's object."""
        self._merge(test, self.merged, one, ())

    def _merge(self, test: str, into: dict[str, Any], one: dict[str, Any], path: tuple[str, ...]) -> None:
        for key, value in one.items():
            here = (*path, key)
            if key not in into:
                into[key] = {} if isinstance(value, dict) else value
                self._owners[here] = test
            elif not (isinstance(value, dict) and isinstance(into[key], dict)):
                again = {"key": list(here), "kept": self._owners[here], "test": test, "value": value}
                self.duplicates.append(again)
                continue
            if isinstance(value, dict):
                self._merge(test, into[key], value, here)
