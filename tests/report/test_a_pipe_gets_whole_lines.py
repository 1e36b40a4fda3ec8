"""Claims about the console for CI logs and pipes, and about which console is chosen."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

import pytest

from pipeline.model import events as e
from pipeline.model.verdicts import Verdict
from pipeline.report.console import ConsoleReporter, console, is_live
from pipeline.report.console_plain import PlainConsole
from tests.report.samples import HOSTILE, failed, merged, plain_line, result


class FakeClock:
    """A monotonic clock that stands still until told."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock() -> FakeClock:
    """The clock of the consoles below."""
    return FakeClock()


def plain(clock: FakeClock, stream: io.StringIO | None = None, **environment: str) -> PlainConsole:
    """A plain console on a stream of its own."""
    made = console("auto", stream or io.StringIO(), environment, now=clock, reproduce=plain_line)
    assert isinstance(made, PlainConsole)
    return made


def text_of(reporter: ConsoleReporter) -> str:
    """All that was written."""
    assert isinstance(reporter.stream, io.StringIO)
    return reporter.stream.getvalue()


def begin(reporter: ConsoleReporter, tests: int, workers: int = 1) -> None:
    """A run of that many tests has begun."""
    reporter.event(e.RunStarted(run="r-1", plan="p", tests=tests, batches=1, workers=workers, expected_seconds=90))
    for slot in range(workers):
        log = f"/logs/w{slot}.log"
        reporter.event(e.WorkerStarted(worker=f"w{slot}", slot=slot, launcher="local", place="h", log=log))


def finish_tests(reporter: ConsoleReporter, number: int) -> Iterator[int]:
    """Finish that many tests, one for each step of the caller."""
    for position in range(number):
        reporter.event(e.TestFinished(worker="w0", result=result(f"unit::t{position}")))
        yield position


def test_a_failure_is_shown_at_once_and_in_full(clock: FakeClock) -> None:
    """Nobody waits for the end of a long run to see the first failure."""
    reporter = plain(clock)
    begin(reporter, 2)
    reporter.event(e.TestFinished(worker="w0", result=failed(sections=(("Captured stdout call", "printed"),))))

    text = text_of(reporter)
    assert "FAILED unit::tests/test_a.py::test_x (250 ms, on w0)\ndef test_x():" in text
    assert "printed" in text
    assert "reproduce: pytest tests/test_a.py::test_x" in text


def test_a_failure_that_no_event_told_of_is_shown_before_the_summary(clock: FakeClock) -> None:
    """From before a resume, or decided by the merge alone; what was shown is not shown again."""
    reporter = plain(clock)
    reporter.event(e.TestFinished(worker="w0", result=failed("unit::seen")))
    reporter.finish(merged(failed("unit::seen"), failed("unit::news"), result("unit::crash", Verdict.CRASHED)))

    text = text_of(reporter)
    assert text.count("def test_x():") == 2
    assert text.index("FAILED unit::news (250 ms, on w0)") < text.index("not good:")
    assert "CRASHED unit::crash (250 ms, on w0)" in text


def test_a_fast_run_is_no_flood(clock: FakeClock) -> None:
    """Ten thousand tests within a second are not worth one line."""
    reporter = plain(clock)
    begin(reporter, 10_000)
    before = text_of(reporter)
    list(finish_tests(reporter, 9_999))

    assert text_of(reporter) == before


def test_each_tenth_of_a_slow_run_is_a_line(clock: FakeClock) -> None:
    """By count where that is seldom enough."""
    reporter = plain(clock)
    begin(reporter, 100)
    for _ in finish_tests(reporter, 100):
        clock.seconds += 1

    lines = re.findall(r"^(\d+)/100 done", text_of(reporter), re.MULTILINE)
    assert lines == ["10", "20", "30", "40", "50", "60", "70", "80", "90"]


def test_half_a_minute_of_silence_is_a_line_that_names_the_long_test(clock: FakeClock) -> None:
    """CI services kill silent jobs, and a person wants to know what hangs."""
    reporter = plain(clock)
    begin(reporter, 10)
    reporter.event(e.TestStarted(worker="w0", test="unit::long"))
    clock.seconds += 29
    reporter.tick()
    silent = text_of(reporter)
    clock.seconds += 2
    reporter.tick()
    reporter.tick()

    assert "done" not in silent
    assert text_of(reporter).count("0/10 done, 1 worker, about 59.0 s left, unit::long running for 31.0 s on w0") == 1


def test_the_timer_runs_between_start_and_stop_only(clock: FakeClock) -> None:
    """A thread does the ticking, and none is left."""
    reporter = PlainConsole(io.StringIO(), clock, plain_line, interval_seconds=0.01)
    begin(reporter, 10)
    clock.seconds += 100
    reporter.start()
    reporter.start()
    thread = reporter._ticker._thread if reporter._ticker else None
    while "done" not in text_of(reporter):
        pass
    reporter.stop()
    reporter.stop()

    assert thread is not None
    assert not thread.is_alive()


def test_the_end_is_foretold_from_estimates(clock: FakeClock) -> None:
    """Ten tests left say nothing; a hundred seconds over two workers do."""
    reporter = plain(clock)
    begin(reporter, 3, workers=2)
    reporter.plan({"unit::t0": 20.0, "unit::t1": 50.0, "unit::t2": 50.0})
    list(finish_tests(reporter, 1))

    assert reporter.progress.seconds_left(clock()) == 50.0


def test_a_run_that_is_slower_than_its_estimates_is_foretold_by_its_pace(clock: FakeClock) -> None:
    """The first run of a suite has no history, only a guess for each test; what workers take to start is no part of it."""
    reporter = plain(clock)
    begin(reporter, 3, workers=2)
    reporter.plan(dict.fromkeys(("unit::t0", "unit::t1", "unit::t2"), 0.1))
    clock.seconds += 500
    reporter.event(e.TestStarted(worker="w0", test="unit::t0"))
    clock.seconds += 60
    list(finish_tests(reporter, 1))

    assert reporter.progress.seconds_left(clock()) == pytest.approx(120)


@pytest.mark.parametrize("done_before", [0, 5])
def test_a_resumed_run_is_not_measured_by_the_estimate_of_its_rest(clock: FakeClock, done_before: int) -> None:
    """Its time is that of the whole, pauses included."""
    reporter = plain(clock)
    started = e.RunStarted(
        run="r-1", plan="p", tests=9, batches=1, workers=1, expected_seconds=4, done_before=done_before
    )
    reporter.event(started)
    reporter.finish(merged(result()))

    assert ("(4.0 s expected)" in text_of(reporter)) is (done_before == 0)


def test_the_place_of_the_logs_is_said_once(clock: FakeClock) -> None:
    """Twenty workers are one line."""
    reporter = plain(clock)
    begin(reporter, 1, workers=20)

    assert text_of(reporter).count("/logs/w0.log") == 1
    assert "/logs/w1.log" not in text_of(reporter)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (
            e.CollectionFinished(tests=1234, files=1, deselected=2),
            "collected 1,234 tests in 1 file, 2 deselected, 0 ms",
        ),
        (e.CollectionFinished(tests=0, files=0, errors=("bad.py",)), "collection error: bad.py"),
        (
            e.CollectionStarted(suites=("unit",), harnesses=1, interpreters=("/p/python (Python 3.8.1; .venv)",)),
            "collecting unit with 1 harness of /p/python (Python 3.8.1; .venv)",
        ),
        (e.TestSlow(worker="w0", test="unit::t", seconds=120), "slow: unit::t has been running for 2 min 00 s on w0"),
        (
            e.WorkerLost(worker="w0", cause="crashed", test="unit::t", repeated_seconds=2.5),
            "lost worker w0: crashed while running unit::t; 2.5 s of work to be repeated",
        ),
        (e.Notice(level="warning", text="careful"), "warning: careful"),
        (e.TestFinished(worker="w1", result=result(tries=2, earlier=(failed(),))), "flaky: PASSED"),
        (e.TestFinished(worker="w1", result=result(verdict=Verdict.LOST, message="m")), "LOST unit::"),
    ],
)
def test_what_a_person_should_know_is_said(clock: FakeClock, event: e.Event, expected: str) -> None:
    """Each event in its words."""
    reporter = plain(clock)
    reporter.event(event)

    assert expected in text_of(reporter)


def test_a_stop_is_heard_at_once(clock: FakeClock) -> None:
    """It may take a while to end and tear down: who has pressed Ctrl-C learns what is done and what a second one does."""
    reporter = plain(clock)
    begin(reporter, 9, workers=3)
    for worker in ("w0", "w1"):
        reporter.event(e.TestStarted(worker=worker, test="unit::t", attempt=1))
    reporter.event(e.StopAsked(signal=2))

    assert text_of(reporter).endswith("stopping: ending 2 tests, tearing down; again leaves at once\n")


def test_a_host_that_was_set_aside_is_named_at_the_end(clock: FakeClock) -> None:
    """Whoever reads the summary only learns that the run was shorter of hands, and why."""
    reporter = plain(clock)
    begin(reporter, 1)
    reporter.event(e.PlaceGivenUp(place="lab2", why="host 'lab2' is set aside: it lets us not in"))
    assert "lab2" not in text_of(reporter), "a notice has told of it"
    reporter.finish(merged(result()))

    assert "hosts set aside:\n  host 'lab2' is set aside: it lets us not in\n" in text_of(reporter)


def test_a_good_result_is_not_worth_a_line(clock: FakeClock) -> None:
    """Only what is not as expected is shown."""
    reporter = plain(clock)
    for verdict in (Verdict.PASSED, Verdict.SKIPPED, Verdict.XFAILED, Verdict.XPASSED, Verdict.NOT_RUN):
        reporter.event(e.TestFinished(worker="w0", result=result(verdict=verdict)))

    assert text_of(reporter) == ""


def test_github_marks_failures_and_obeys_only_us(clock: FakeClock) -> None:
    """Output of tests stands between stop-commands, our annotation after it."""
    reporter = plain(clock, GITHUB_ACTIONS="true")
    reporter.event(e.TestFinished(worker="w0", result=failed(sections=(("Captured stdout call", "::set-env::x"),))))

    lines = text_of(reporter).splitlines()
    token = lines[0].removeprefix("::stop-commands::")
    assert lines[0] != token
    assert lines.index("::set-env::x") < lines.index(f"::{token}::")
    assert lines[-1].startswith("::error file=tests/test_a.py,title=")


def test_github_gets_no_more_annotations_than_it_shows(clock: FakeClock) -> None:
    """Ten of a kind for a step; the rest would be noise in the log."""
    reporter = plain(clock, GITHUB_ACTIONS="true")
    for _ in range(30):
        reporter.event(e.TestFinished(worker="w0", result=failed()))

    assert text_of(reporter).count("::error ") == 10


def test_elsewhere_there_are_no_annotations(clock: FakeClock) -> None:
    """They would be noise."""
    reporter = plain(clock, CI="true")
    reporter.event(e.TestFinished(worker="w0", result=failed()))

    assert "::error" not in text_of(reporter)


def test_a_stream_that_cannot_write_a_character_still_gets_the_line(clock: FakeClock) -> None:
    """A log in ASCII shows `\\xfc` for an umlaut, and the run goes on."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    reporter = PlainConsole(stream, clock, plain_line)
    reporter.event(e.Notice(level="info", text="\u00fcber \u4e16"))

    assert raw.getvalue() == b"\\xfcber \\u4e16\n"


def test_a_reader_that_went_away_is_no_error_of_the_run(clock: FakeClock) -> None:
    """`doit | head` must still write its reports."""

    class Gone(io.StringIO):
        def write(self, _text: str) -> int:
            raise BrokenPipeError

    reporter = plain(clock, Gone())
    reporter.event(e.Notice(level="info", text="x"))

    assert reporter.finish(merged()) == ()


@pytest.mark.parametrize(
    ("style", "environment", "expected"),
    [
        ("auto", {"TERM": "xterm"}, True),
        ("auto", {"TERM": "dumb"}, False),
        ("auto", {}, False),
        ("auto", {"TERM": "xterm", "CI": "true"}, False),
        ("auto", {"TERM": "xterm", "CI": "false"}, True),
        ("auto", {"TERM": "xterm", "GITHUB_ACTIONS": "true"}, False),
        ("live", {"TERM": "xterm", "CI": "true"}, True),
        ("plain", {"TERM": "xterm"}, False),
    ],
)
def test_a_live_region_needs_a_terminal_and_a_person(style: str, environment: dict[str, str], expected: bool) -> None:
    """Everything else gets plain lines."""
    assert is_live(style, Terminal(), environment) is expected


@pytest.mark.parametrize("style", ["auto", "live"])
def test_forced_colours_make_no_terminal_of_a_pipe(style: str) -> None:
    """`FORCE_COLOR` is set in many CI services, where a redrawn region would fill the log."""
    assert not is_live(style, io.StringIO(), {"TERM": "xterm", "FORCE_COLOR": "1"})


def test_a_terminal_that_cannot_show_blocks_gets_plain_lines() -> None:
    """A latin-1 terminal is no place for bars."""

    class Old(Terminal):
        encoding = "iso-8859-1"

    assert not is_live("auto", Old(), {"TERM": "xterm"})


def test_hostile_events_are_inert(clock: FakeClock) -> None:
    """Every text of every event."""
    reporter = plain(clock)
    many: list[Any] = [
        e.CollectionStarted(suites=(HOSTILE,), harnesses=1),
        e.CollectionFinished(tests=1, files=1, errors=(HOSTILE,)),
        e.RunStarted(run=HOSTILE, plan="p", tests=1, batches=1, workers=1),
        e.TestSlow(worker="w0", test=HOSTILE, seconds=1.0),
        e.WorkerLost(worker="w0", cause="crashed", test=HOSTILE, detail=HOSTILE),
        e.Notice(level="info", text=HOSTILE),
        e.TestFinished(worker="w0", result=failed(HOSTILE, message=HOSTILE)),
    ]
    for event in many:
        reporter.event(event)

    assert not re.search("[\x00-\x09\x0b-\x1f\u202e\udc80]", text_of(reporter))
