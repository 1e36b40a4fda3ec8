"""Reports: which are written, and where."""

from __future__ import annotations

from typing import Any

from pipeline.settings import kinds
from pipeline.settings.choice import Choice
from pipeline.settings.collected import Sequence
from pipeline.settings.declaration import setting
from pipeline.settings.extension import Extension
from pipeline.settings.providers import Provider

FORMATS = ("junit", "ctrf", "events", "trace", "html", "metrics", "results")


def folder_of_reports(reports: Extension) -> Provider[Any]:
    """`reports` in the project's build_dir."""
    folder: Provider[Any] = reports.scope.fleet.project.build_dir.map(lambda build: build / "reports")
    return folder


def runs_of_store(reports: Extension) -> Provider[Any]:
    """as many as the store keeps"""
    kept: Provider[Any] = reports.scope.fleet.store.keep_runs
    return kept


def days_of_store(reports: Extension) -> Provider[Any]:
    """as long as the store keeps runs"""
    kept: Provider[Any] = reports.scope.fleet.store.keep_days
    return kept


class Reports(Extension):
    """What is written when a run ends."""

    dir = setting(kinds.path, folder_of_reports)
    """The folder of the latest run's reports."""

    keep_runs = setting(kinds.whole, runs_of_store)
    """Of how many runs their own copies of reports (`reports/<run>` in `project.state_dir`) are kept at least."""

    keep_days = setting(kinds.whole, days_of_store)
    """Age in days from which copies beyond `keep_runs` are removed. Others can be written again with `doit report <run>`,
    as long as the store holds the run."""

    formats = setting(Sequence(Choice(*FORMATS, open_set="reporters"), form="a list of " + ", ".join(FORMATS)), FORMATS)
    """Which reports are written; `metrics` and `results` only where tests have some. Others may come from outside packages."""

    output = setting(kinds.switch, "auto")
    """Whether what each test printed is written into a file of its own, `output/<run>/<suite>/<test>.log` in `dir`, which failures
    name. "auto": of suites of commands."""

    slowest = setting(kinds.whole, 10)
    """How many of the slowest tests the summary names. 0: none."""

    github = setting(kinds.switch, "auto")
    """Whether failures are said as GitHub annotations. "auto": where GitHub Actions runs."""
