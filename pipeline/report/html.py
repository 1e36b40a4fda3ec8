"""`index.html`: the run as one offline page, made of a template, a style and a script that stand beside this file.

Knows which file is written from what; `html_data` chooses the facts. The page allows no script but its own, by digest,
and what comes from tests is data only.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from pipeline.model.runs import STAGES, MergedRun, WorkerSpan
from pipeline.model.verdicts import Verdict
from pipeline.report.failure import Reproduce
from pipeline.report.html_data import Limits, page_data
from pipeline.report.inert import inert
from pipeline.report.output_files import existing
from pipeline.report.phrases import duration, number
from pipeline.report.summary import verdict_line
from pipeline.report.writing import whole_file

TEMPLATES: Final = Path(__file__).parent / "templates"
_MARKER: Final = "the-data-stand-here"
_MOST_LOSSES: Final = 200
_MOST_PLACES: Final = 1000


class HtmlReport:
    """A reporter that writes the page when the run is merged."""

    name = "html"

    def __init__(self, directory: Path, *, reproduce: Reproduce, limits: Limits | None = None) -> None:
        self.path = directory / "index.html"
        self._reproduce = reproduce
        self._limits = limits or Limits()

    def event(self, event: object) -> None:
        """Events are of no interest here."""

    def finish(self, run: MergedRun) -> Sequence[str]:
        """Write the file. Raises `EngineError`."""
        data = page_data(run, self._reproduce, self._limits, existing(self.path.parent, run.run))
        head, tail = _page(run, data.notes)
        with whole_file(self.path) as file:
            file.write(head)
            file.writelines(data.chunks())
            file.write(tail)
        return (str(self.path),)


def _page(run: MergedRun, notes: Sequence[str]) -> tuple[str, str]:
    """The page before and after its data: jinja2 need not hold those."""
    from jinja2 import Environment, FileSystemLoader
    from markupsafe import Markup

    style = (TEMPLATES / "index.css").read_text("utf-8")
    script = (TEMPLATES / "index.js").read_text("utf-8")
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True)
    environment.filters["inert"] = inert
    page = environment.get_template("index.html.j2").render(
        **_facts(run),
        notes=notes,
        style=Markup(style),
        style_digest=_digest(style),
        script=Markup(script),
        script_digest=_digest(script),
        data_marker=_MARKER,
    )
    head, _, tail = page.rpartition(_MARKER)
    return head, tail


def _facts(run: MergedRun) -> dict[str, Any]:
    counts = [(each.value, number(run.counts[each.value])) for each in Verdict if run.counts.get(each.value)]
    if run.missing:
        counts.append(("missing", number(len(run.missing))))
    return {
        "run": run,
        "title": f"{'good' if run.exit_code == 0 else 'not good'}: {run.run}",
        "verdict_line": verdict_line(run),
        "started": datetime.fromtimestamp(run.started, UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
        "counts": counts,
        "losses": run.losses[:_MOST_LOSSES],
        "places": [_place(each) for each in run.workers[:_MOST_PLACES] if each.stages],
        "taken": number(sum(bool(each.taken) for each in run.workers)) if any(w.taken for w in run.workers) else "",
        "stage_names": STAGES,
        "duration": duration,
    }


def _place(worker: WorkerSpan) -> dict[str, Any]:
    """A row about where a worker was, and what came before its first test."""
    took = {stage.name: duration(stage.seconds) for stage in worker.stages}
    is_whole = bool(worker.stages) and worker.stages[-1].name == STAGES[-1]
    return {
        "worker": worker.worker,
        "node": worker.node,
        "cells": [took.get(name, "") for name in STAGES],
        "pull": duration(worker.pull_seconds) if worker.pull_seconds else "",
        "to_first": duration(worker.stages[-1].ended - worker.stages[0].began) if is_whole else "",
        "taken": worker.taken,
        "lost": duration(worker.lost_seconds) if worker.lost_seconds else "",
    }


def _digest(text: str) -> str:
    """What a content security policy names a script or a style by."""
    return b64encode(hashlib.sha256(text.encode()).digest()).decode()
