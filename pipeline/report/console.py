"""Which console a run has, and what both kinds share: which event is said in which words.

Knows no terminal: the live and the plain console decide how lines reach a person. Nothing heavy is imported before a
live console is really chosen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath
from typing import TextIO

from attrs import define, field

from pipeline.errors import typed
from pipeline.model import events as e
from pipeline.model.runs import SSH, MergedRun
from pipeline.model.verdicts import Result, Verdict
from pipeline.report.annotations import Locate, file_in_native_id
from pipeline.report.failure import Reproduce, failure_text, headline, is_worth_showing
from pipeline.report.inert import inert, inert_line
from pipeline.report.phrases import age, count, duration, number
from pipeline.report.progress import Progress
from pipeline.report.summary import LISTED, Shown, summary


@define(slots=False)
class ConsoleReporter:
    """A reporter for people. Begin with `start`, end with `stop`; between them a timer refreshes what is shown.

    `finish` stops by itself and prints the summary. Neither `event` nor `tick` ever raises.
    """

    stream: TextIO
    now: Callable[[], float]
    """Seconds on a monotonic clock."""
    reproduce: Reproduce
    locate: Locate = file_in_native_id
    slowest: int = 10
    progress: Progress = field(factory=Progress)
    reports: Sequence[str] = ()
    """Paths that the other reporters made, and what went wrong there; set them before `finish`."""
    report_errors: Sequence[str] = ()
    name: str = "console"
    log_of: Callable[[str], str] = field(default=lambda test: "", kw_only=True)
    """The file that holds what a test printed, by its id; empty: none."""
    has_log: Callable[[str], bool] = field(default=lambda log: True, kw_only=True)
    """Whether anything is there of a worker's log."""
    _log_directories: set[str] = field(factory=set)
    _shown: set[str] = field(factory=set)
    _hosts: dict[str, str] = field(factory=dict)
    """By worker, of those that are on hosts of a list."""

    def start(self) -> None:
        """Begin to refresh."""

    def stop(self) -> None:
        """End refreshing and leave the stream as it was. May be called twice."""

    def tick(self) -> None:
        """Refresh now, if it is time."""

    def say(self, text: str) -> None:
        """Show a block of inert text, in one piece."""
        raise NotImplementedError

    def say_failure(self, event: e.TestFinished) -> None:
        """Show a bad result in full."""
        text = failure_text(event.result, self.reproduce, worker=self._where(event.worker), attempt=event.attempt)
        log = self.log_of(event.result.test)
        self.say(f"{text}\nlog: {inert_line(log)}\n" if log else f"{text}\n")

    def plan(self, estimates: Mapping[str, float]) -> None:
        """Take the estimates of the tests still to do, in seconds by test id."""
        self.progress.plan(estimates)

    def event(self, event: e.Event) -> None:
        """Take an event: count it, and say what a person should know at once."""
        self.progress.take(event, self.now())
        kind = type(event)
        if kind is e.TestStarted:
            return
        if kind is e.TestFinished:
            assert isinstance(event, e.TestFinished)
            if event.result.verdict is Verdict.PASSED and not event.result.earlier:
                return
            if is_worth_showing(event.result):
                self._shown.add(event.result.test)
                self.say_failure(event)
            elif event.result.is_flaky:
                self.say(f"flaky: {headline(event.result, worker=self._where(event.worker), attempt=event.attempt)}")
            return
        line = self._line(event)
        if line:
            self.say(line)

    def finish(self, run: MergedRun) -> Sequence[str]:
        """Print the failures that no event told of (a resumed run, verdicts that only the merge gives), then the summary."""
        self.stop()
        self._hosts |= {each.worker: each.host for each in run.workers if each.is_remote}
        for outcome in [each for each in run.outcomes if self._is_news(each.result)][:LISTED]:
            self.say_failure(e.TestFinished(worker=outcome.worker, result=outcome.result, attempt=outcome.attempt))
        shown = Shown(
            reports=tuple(self.reports),
            report_errors=tuple(self.report_errors),
            # Of a resumed run the estimate is of the rest, its time of the whole: no comparison.
            expected_seconds=0.0 if self.progress.done_before else self.progress.expected_seconds,
            slowest=self.slowest,
            log_of=self.log_of,
            has_log=self.has_log,
            given_up=tuple(why for _, why in sorted(self.progress.given_up.items())),
        )
        self.say(summary(run, self.reproduce, shown))
        return ()

    def _where(self, worker: str) -> str:
        host = self._hosts.get(worker)
        return f"{inert_line(host)}, {worker}" if host else worker

    def _line(self, event: e.Event) -> str:
        """What is said of an event that needs what was before it, or not."""
        if isinstance(event, e.WorkerStarted):
            if event.launcher == SSH:
                self._hosts[event.worker] = event.place
            return self._log_line(event)
        if isinstance(event, e.StopAsked):
            running = count(self.progress.running, "test")
            return f"stopping: ending {running}, tearing down; again leaves at once"
        return words(event)

    def _is_news(self, result: Result) -> bool:
        return result.verdict is not Verdict.PASSED and is_worth_showing(result) and result.test not in self._shown

    def _log_line(self, event: e.WorkerStarted) -> str:
        """Say once for each folder of logs where it is."""
        folder = str(PurePath(event.log).parent) if event.log else ""
        if not folder or folder in self._log_directories:
            return ""
        self._log_directories.add(folder)
        return f"live log of each worker: {inert_line(event.log)}, and the like"


def words(event: e.Event) -> str:
    """What is said of an event, or nothing."""
    match event:
        case e.CollectionStarted():
            return _collecting(event)
        case e.CollectionFinished():
            return _collected(event)
        case e.RunStarted():
            return _run_started(event)
        case e.TestSlow():
            return f"slow: {inert_line(event.test)} has been running for {duration(event.seconds)} on {event.worker}"
        case e.VerdictsTaken():
            return _taken(event)
        case e.GroupFinished():
            return _group(event)
        case e.WorkerLost():
            return _lost(event)
        case e.WorkerTaken():
            why = f": {inert_line(event.detail)}" if event.detail else ""
            return f"worker {event.worker} was taken away, {inert_line(event.cause)}{why}"
        case e.Notice():
            text = typed(inert(event.text))
            return text if event.level == "info" else f"{event.level}: {text}"
    return ""


def _collecting(event: e.CollectionStarted) -> str:
    line = f"collecting {', '.join(map(inert_line, event.suites))}"
    line += f" with {count(event.harnesses, 'harness')}" if event.harnesses else ""
    return f"{line} of {', '.join(map(inert_line, event.interpreters))}" if event.interpreters else line


def _collected(event: e.CollectionFinished) -> str:
    line = f"collected {count(event.tests, 'test')} in {count(event.files, 'file')}"
    if event.deselected:
        line += f", {event.deselected:,} deselected"
    lines = [f"{line}, {duration(event.seconds)}"]
    lines += [f"collection error: {inert(text)}" for text in event.errors]
    return "\n".join(lines)


def _run_started(event: e.RunStarted) -> str:
    line = f"run {inert_line(event.run)}: {count(event.tests, 'test')} in {count(event.batches, 'batch')}"
    line += f" on {count(event.workers, 'worker')}"
    if event.done_before:
        line += f", goes on with {event.done_before:,} done before"
    if event.expected_seconds:
        line += f", about {duration(event.expected_seconds)} expected"
    return line


def _taken(event: e.VerdictsTaken) -> str:
    left = f"{number(event.left)} left to run" if event.left else "nothing is left to run"
    return (
        f"taken over from run {inert_line(event.source)}, which began {age(event.age_seconds)}: {count(event.tests, 'verdict')} of "
        "tests whose command, row, files, environment, interpreter and settings are what they were there; "
        f"{left} ({typed('`doit -a`')} takes nothing over)"
    )


def _group(event: e.GroupFinished) -> str:
    """One line for each: `group vms=p1-small of bench: 11 passed, 1 failed in 2 min 03 s on w0-1`."""
    counts = [f"{number(event.counts[each.value])} {each.value}" for each in Verdict if event.counts.get(each.value)]
    before = f", {number(event.done_before)} done before" if event.done_before else ""
    where = f" on {', '.join(event.workers)}" if event.workers else ""
    line = f"group {inert_line(event.group)} of {inert_line(event.suite)}: {', '.join(counts)}{before}"
    return f"{line} in {duration(event.seconds)}{where}"


def _lost(event: e.WorkerLost) -> str:
    line = f"lost worker {event.worker}: {event.cause}"
    if event.test:
        line += f" while running {inert_line(event.test)}"
    if event.detail:
        line += f" ({inert_line(event.detail)})"
    return f"{line}; {duration(event.repeated_seconds)} of work to be repeated"


def console(
    style: str,
    stream: TextIO,
    environment: Mapping[str, str],
    *,
    now: Callable[[], float],
    reproduce: Reproduce,
    locate: Locate = file_in_native_id,
    slowest: int = 10,
    interval_seconds: float = 30.0,
    github: bool | None = None,
) -> ConsoleReporter:
    """The console for a stream. `style` is `auto`, `live`, `plain` or `quiet`; live only where the stream can do it.

    `interval_seconds`: the longest silence of plain lines. `github`: whether to annotate; None: where GitHub runs us.
    """
    if style == "quiet":
        from pipeline.report.console_quiet import QuietConsole

        return QuietConsole(stream, now, reproduce, locate, slowest)
    if is_live(style, stream, environment):
        from pipeline.report.console_live import LiveConsole

        return LiveConsole(stream, now, reproduce, locate, slowest, environment=environment)
    from pipeline.report.console_plain import PlainConsole

    annotates = environment.get("GITHUB_ACTIONS") == "true" if github is None else github
    return PlainConsole(stream, now, reproduce, locate, slowest, github=annotates, interval_seconds=interval_seconds)


def is_live(style: str, stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Whether lines can be redrawn there and a person is likely to watch. `FORCE_COLOR` makes no terminal of a pipe."""
    if style == "plain" or not _is_terminal(stream):
        return False
    if environment.get("TERM", "") in {"", "dumb", "unknown"}:
        return False
    if (getattr(stream, "encoding", None) or "").lower().replace("-", "") != "utf8":
        return False
    return style == "live" or not is_ci(environment)


def is_ci(environment: Mapping[str, str]) -> bool:
    """Whether a CI service says that it runs us."""
    named = any(
        environment.get(name) for name in ("GITHUB_ACTIONS", "GITLAB_CI", "TF_BUILD", "BUILDKITE", "JENKINS_URL")
    )
    return named or environment.get("CI", "").lower() not in {"", "0", "false", "no"}


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except (ValueError, OSError):
        return False
