"""Claims about the live console, on a real pseudo-terminal with a process of its own behind it."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

from pipeline.report.console_live import region
from pipeline.report.progress import Progress, WorkerState

SCRIPT = r"""
import os, sys, time
from pipeline.model import events as e
from pipeline.report.console import console
from tests.report.samples import failed, merged, plain_line, result, HOSTILE
clock = [0.0]
reporter = console("auto", sys.stdout, os.environ, now=lambda: clock[0], reproduce=plain_line)
reporter.start()
reporter.event(e.RunStarted(run="r-1", plan="p", tests=9, batches=1, workers=30, expected_seconds=60))
for slot in range(30):
    reporter.event(e.WorkerStarted(worker=f"w{slot}", slot=slot, launcher="local", place="h"))
    reporter.event(e.TestStarted(worker=f"w{slot}", test=f"unit::[red]a \x1b]0;x\x07 very long name of a test in a narrow terminal {slot}"))
clock[0] = 12.0
reporter.tick()
reporter.event(e.TestFinished(worker="w0", result=failed("unit::[bold]marked :smile:", message=HOSTILE)))
reporter.event(e.TestFinished(worker="w1", result=result("unit::good")))
reporter.tick()
reporter.finish(merged(result(), failed()))
"""


def on_a_terminal(columns: int, **environment: str) -> str:
    """What the script writes on a terminal of that width."""
    pty = pytest.importorskip("pty", reason="needs pseudo-terminals")
    root = str(Path(__file__).parents[2])
    child, leader = pty.fork()
    if child == 0:
        plain = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": root, "TERM": "xterm-256color", "LANG": "C.UTF-8"}
        given = {**plain, "COLUMNS": str(columns), "LINES": "24", "PYTHONUTF8": "1", **environment}
        os.execve(sys.executable, [sys.executable, "-c", SCRIPT], given)
    seen = b""
    while True:
        try:
            chunk = os.read(leader, 65536)
        except OSError:
            break
        if not chunk:
            break
        seen += chunk
    os.close(leader)
    assert os.waitpid(child, 0)[1] == 0, seen.decode("utf-8", "replace")
    return seen.decode("utf-8")


@pytest.fixture(scope="module")
def wide() -> str:
    """A usual terminal."""
    return on_a_terminal(100)


def without_escapes(text: str) -> str:
    """What stands on the terminal, control sequences apart."""
    return re.sub("\x1b\\[[0-9;?]*[A-Za-z]", "", text).replace("\r", "")


def test_progress_failures_and_workers_are_seen_while_tests_run(wide: str) -> None:
    """Counts, what each worker does, the expected end."""
    text = without_escapes(wide)

    assert "2/9" in text
    assert "1 not good" in text
    assert "48.0 s left" in text
    assert "12.0 s unit::[red]a \\x1b]0;x\\x07 very long name" in text


def test_many_workers_are_summed_up(wide: str) -> None:
    """Thirty lines would push everything else away."""
    text = without_escapes(wide)

    assert "30 of 30 workers run a test" in text
    assert "terminal 29" not in text


def test_a_failure_stands_whole_above_the_region(wide: str) -> None:
    """The region is taken away before and drawn again after; nothing is written in between."""
    text = without_escapes(wide)

    start = text.index("FAILED unit::[bold]marked :smile: (250 ms, on w0)\ndef test_x():")
    block = text[start : text.index("reproduce: pytest [bold]marked :smile:", start)]
    assert "not good" not in block
    assert "E   assert 1 == 2" in block


def test_no_text_of_a_test_is_obeyed(wide: str) -> None:
    """Only the sequences that rich needs for the region and for colours are there."""
    kinds = set(re.findall("\x1b(\\[[0-9;?]*[A-Za-z]|.)", wide))

    assert {each[-1] for each in kinds} <= {"m", "K", "A", "l", "h"}
    assert "\x07" not in wide
    assert "hacked\x07" not in wide


def test_the_region_is_gone_in_the_end(wide: str) -> None:
    """The cursor is visible again and the summary is the last thing."""
    assert wide.rindex("\x1b[?25h") > wide.rindex("\x1b[?25l")
    assert without_escapes(wide).rstrip().endswith("1 passed, 1 failed in 500 ms (1 min 00 s expected); exit 1")


def test_a_narrow_terminal_has_no_wrapped_region() -> None:
    """A line of the region that wraps would leave rubbish behind with each redrawing."""
    for width in (1, 10, 20, 40):
        progress = Progress(phase="running", total=100, done=50, bad=3, flaky=1, lost_workers=2)
        progress.workers = {f"w{slot}": WorkerState(slot, test="unit::\u4e16\u754c" * 9) for slot in range(12)}

        assert all(line.cell_len <= max(1, width - 1) for line in region(progress, 5.0, width, 24))


def test_a_narrow_terminal_works() -> None:
    """Down to twenty columns, failures in full."""
    text = without_escapes(on_a_terminal(20))

    assert "reproduce: pytest [bold]marked :smile:" in text.replace("\n", "")


def test_colours_can_be_switched_off() -> None:
    """NO_COLOR is honoured: bold may stay, colours go."""
    text = on_a_terminal(100, NO_COLOR="1")

    assert not re.search("\x1b\\[[0-9;]*(3[0-7]|9[0-7]|38;)[0-9;]*m", text)
    assert re.search("\x1b\\[[0-9;]*(3[0-7]|9[0-7]|38;)[0-9;]*m", on_a_terminal(100))
