"""`trace.json`: the run in the Trace Event format, to be opened in ui.perfetto.dev or chrome://tracing.

A row for each worker, a complete event for each test, an instant event for each loss, and for workers elsewhere a complete
event for each step from asking for their place to their first test. Times are microseconds since the run's first birth, or
since the first place was asked for. Format: "Trace Event Format" of the Chromium project.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from json.encoder import encode_basestring_ascii as quoted
from pathlib import Path
from typing import TextIO

from pipeline.model.runs import MergedRun, Outcome
from pipeline.model.verdicts import Verdict
from pipeline.report.writing import whole_file

PROCESS = 1


class TraceReport:
    """A reporter that writes the file when the run is merged."""

    name = "trace"

    def __init__(self, directory: Path) -> None:
        self.path = directory / "trace.json"

    def event(self, event: object) -> None:
        """Events are of no interest here."""

    def finish(self, run: MergedRun) -> Sequence[str]:
        """Write the file. Raises `EngineError`."""
        with whole_file(self.path) as file:
            write_trace(run, file)
        return (str(self.path),)


def write_trace(run: MergedRun, file: TextIO) -> None:
    """Write the document."""
    rows, begun = _rows(run), first_moment(run)
    file.write('{"displayTimeUnit":"ms","traceEvents":[\n')
    file.write(_name("process_name", 0, f"run {run.run}"))
    file.writelines(",\n" + _name("thread_name", row, worker) for worker, row in rows.items())
    file.writelines(",\n" + _loss(text, row, at - begun) for text, row, at in _losses(run, rows))
    file.writelines(",\n" + each for each in _stages(run, rows, begun))
    file.writelines(_tests(run.outcomes, rows, begun))
    file.write("\n]}\n")


def first_moment(run: MergedRun) -> float:
    """Where the time line begins, in seconds since the first birth: there, or before, where a place was asked for first."""
    return min((stage.began for worker in run.workers for stage in worker.stages), default=0.0)


def _rows(run: MergedRun) -> dict[str, int]:
    """The row of each worker: those that are known by slot and birth, then others that decided a test."""
    known = sorted(run.workers, key=lambda each: (each.slot, each.started))
    names = dict.fromkeys(each.worker for each in known)
    names.update(dict.fromkeys(outcome.worker for outcome in run.outcomes))
    return {name: row for row, name in enumerate(names, start=1)}


def _losses(run: MergedRun, rows: dict[str, int]) -> Iterator[tuple[str, int, float]]:
    ends = {each.worker: each.ended for each in run.workers}
    for loss in run.losses:
        test = f" in {loss.test}" if loss.test else ""
        yield f"lost: {loss.cause}{test}", rows.get(loss.worker, 0), ends.get(loss.worker, 0.0)
    lost = {loss.worker for loss in run.losses}
    for worker in run.workers:
        if worker.taken and worker.worker not in lost:
            yield f"taken away: {worker.taken}", rows.get(worker.worker, 0), worker.ended


def _stages(run: MergedRun, rows: dict[str, int], begun: float) -> Iterator[str]:
    """What came before each worker's first test, with where it was and how long its node pulled."""
    for worker in run.workers:
        about = f'"args":{{"node":{quoted(worker.node)},"pull_seconds":{worker.pull_seconds:.3f}}}'
        for stage in worker.stages:
            start = f'"ts":{int((stage.began - begun) * 1e6)},"dur":{int(stage.seconds * 1e6)}'
            head = f'{{"ph":"X","pid":{PROCESS},"tid":{rows[worker.worker]},{start},"name":{quoted(stage.name)}'
            yield f'{head},"cat":"place",{about}}}'


def _tests(outcomes: Iterable[Outcome], rows: dict[str, int], begun: float) -> Iterator[str]:
    """A complete event for each test that has run; what simply passed says no more than its name."""
    heads = {worker: f',\n{{"ph":"X","pid":{PROCESS},"tid":{row},"ts":' for worker, row in rows.items()}
    passed, not_run = Verdict.PASSED, Verdict.NOT_RUN
    for outcome in outcomes:
        result = outcome.result
        verdict = result.verdict
        start = f"{heads[outcome.worker]}{int((outcome.start - begun) * 1e6)}"
        times = f'{start},"dur":{int(result.seconds * 1e6)},"name":{quoted(result.test)}'
        if verdict is passed and outcome.attempt == 1 and not result.earlier:
            yield times + ',"cat":"passed"}'
        elif verdict is not not_run:
            yield f'{times},"cat":"{verdict.value}",{_arguments(outcome)}}}'


def _arguments(outcome: Outcome) -> str:
    result = outcome.result
    about = f'"attempt":{outcome.attempt},"tries":{result.tries},"message":{quoted(result.message)}'
    return f'"args":{{"verdict":"{result.verdict.value}",{about}}}'


def _loss(text: str, row: int, at: float) -> str:
    return f'{{"ph":"i","s":"t","pid":{PROCESS},"tid":{row},"ts":{at * 1e6:.0f},"cat":"loss","name":{quoted(text)}}}'


def _name(kind: str, row: int, name: str) -> str:
    return f'{{"ph":"M","pid":{PROCESS},"tid":{row},"name":"{kind}","args":{{"name":{quoted(name)}}}}}'
