"""The last step of all reporters: each writes what it has to, and none that fails stops another.

Knows the reporters only by their port; the console comes last, because it tells where the others wrote.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Final

from attrs import frozen

from pipeline.errors import FleetError
from pipeline.model.runs import MergedRun
from pipeline.ports import Reporter
from pipeline.report.failure import Reproduce


@frozen
class Written:
    """What came of the reports."""

    paths: tuple[str, ...]
    errors: tuple[str, ...]
    remarks: tuple[str, ...] = ()
    """What a person should know of the reports: the `remarks` of those reporters that have some."""


def finish_all(reporters: Collection[Reporter], run: MergedRun) -> Written:
    """Let every reporter finish, whatever happens to the others."""
    paths: list[str] = []
    errors: list[str] = []
    for reporter in reporters:
        try:
            paths += reporter.finish(run)
        except FleetError as error:
            errors.append(str(error))
        except Exception as error:  # A reporter from outside may raise anything.
            errors.append(f"reporter {reporter.name!r} failed: {type(error).__name__}: {error}")
    remarks = [str(remark) for reporter in reporters for remark in getattr(reporter, "remarks", ())]
    return Written(tuple(paths), tuple(errors), tuple(remarks))


def events(directory: Path, _reproduce: Reproduce) -> Reporter:
    """The report `events`."""
    from pipeline.report.events_file import EventsFile

    return EventsFile(directory)


def junit(directory: Path, _reproduce: Reproduce) -> Reporter:
    """The report `junit`."""
    from pipeline.report.junit import JunitReport

    return JunitReport(directory)


def ctrf(directory: Path, _reproduce: Reproduce) -> Reporter:
    """The report `ctrf`."""
    from pipeline.report.ctrf import CtrfReport

    return CtrfReport(directory)


def trace(directory: Path, _reproduce: Reproduce) -> Reporter:
    """The report `trace`."""
    from pipeline.report.trace import TraceReport

    return TraceReport(directory)


def html(directory: Path, reproduce: Reproduce) -> Reporter:
    """The report `html`."""
    from pipeline.report.html import HtmlReport

    return HtmlReport(directory, reproduce=reproduce)


def metrics(directory: Path, _reproduce: Reproduce) -> Reporter:
    """The report `metrics`."""
    from pipeline.report.metrics import MetricsReport

    return MetricsReport(directory)


def results(directory: Path, _reproduce: Reproduce) -> Reporter:
    """The report `results`."""
    from pipeline.report.merged_results import ResultsReport

    return ResultsReport(directory)


Factory = Callable[[Path, Reproduce], Reporter]
"""Makes a reporter that writes into a directory; what the entry point group `doit_fleet.reporters` names."""

FACTORIES: Final[dict[str, Factory]] = {
    "events": events,
    "junit": junit,
    "ctrf": ctrf,
    "trace": trace,
    "html": html,
    "metrics": metrics,
    "results": results,
}
"""The built-in reports by their names in `reports.formats`."""


def file_reporters(formats: Sequence[str], directory: Path, reproduce: Reproduce) -> list[Reporter]:
    """The built-in reporters of those names, in that order. Raises `KeyError` for an unknown one."""
    return [FACTORIES[each](directory, reproduce) for each in formats]
