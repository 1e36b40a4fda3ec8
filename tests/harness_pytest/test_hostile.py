"""Tests that attack the session get a verdict of their own, and their neighbours never notice."""

from __future__ import annotations

from pathlib import Path

from tests.harness_pytest import project, solo
from tests.harness_pytest.driving import Harness

HOSTILE = """
import json, os, signal, sys, time
import pytest

def test_before(): pass
def test_keyboard_interrupt(): raise KeyboardInterrupt("mine")
@pytest.fixture
def held():
    yield
    (here / "torn-down").write_text("yes")
from pathlib import Path
here = Path(__file__).parent
def test_interrupt_with_fixture(held): raise KeyboardInterrupt
def test_fixture_was_torn_down(): assert (here / "torn-down").exists()
def test_pytest_exit(): pytest.exit("out of here")
def test_system_exit(): sys.exit(4)
@pytest.fixture
def interrupting(): raise KeyboardInterrupt
def test_interrupted_setup(interrupting): pass
@pytest.fixture
def interrupting_late():
    yield
    raise KeyboardInterrupt
def test_interrupted_teardown(interrupting_late): pass
def test_should_stop(request): request.session.shouldstop = "enough"
def test_patched():
    os.write = os.getpid = json.dumps = time.time = time.perf_counter = None
def test_patched_back():
    import importlib
    importlib.reload(json)
    import posix
    os.write, os.getpid = posix.write, posix.getpid
    importlib.reload(time)
    import _time_real if False else time
def test_environment_gone(): os.environ.clear()
def test_descriptors():
    for fd in (0, 1, 2): os.close(fd)
    os.closerange(100, 900)
def test_fork():
    if os.fork():
        os.wait()
def test_after(): pass
def test_last(): assert os.environ["DOIT_FLEET_ATTEMPT"] == "1"
""".replace("    import _time_real if False else time\n", "")


def test_each_attack_gets_a_verdict_and_no_neighbour_suffers(tmp_path: Path) -> None:
    """Interrupts, exits, closed descriptors, patched functions and forks stay with the test that made them."""
    project.write(tmp_path, {}, test_hostile=HOSTILE)

    results, messages = solo.run_all(tmp_path)

    verdicts = {name: result["verdict"] for name, result in results.items()}
    bad = {name: verdict for name, verdict in verdicts.items() if verdict != "passed"}
    assert bad == {
        "test_keyboard_interrupt": "failed",
        "test_interrupt_with_fixture": "failed",
        "test_pytest_exit": "failed",
        "test_system_exit": "failed",
        "test_interrupted_setup": "error",
        "test_interrupted_teardown": "error",
    }
    assert len(verdicts) == HOSTILE.count("def test_")
    assert results["test_keyboard_interrupt"]["exception"] == "KeyboardInterrupt"
    assert "Exit" in results["test_pytest_exit"]["exception"]
    assert messages[-1] == {"say": "bye", "code": 1}


def test_exit_at_import_is_an_error_of_that_file(tmp_path: Path) -> None:
    """`sys.exit` and an interrupt at import are told as collection errors; other files are collected."""
    files = {
        "test_a.py": "import sys\nsys.exit(5)\n",
        "test_b.py": "raise KeyboardInterrupt\n",
        "test_c.py": "def test_c(): pass\n",
    }
    project.write(tmp_path, files)
    with Harness(tmp_path) as harness:
        answers = {}
        for file in harness.until("files")[-1]["files"]:
            harness.send("collect", file=file)
            answers[file] = harness.until("collected")[-1]

    assert answers["test_a.py"]["errors"] == [["test_a.py", "SystemExit while collecting: 5"]]
    assert answers["test_b.py"]["errors"][0][1].startswith("KeyboardInterrupt while collecting")
    assert [test[0] for test in answers["test_c.py"]["tests"]] == ["test_c.py::test_c"]


def test_a_session_that_cannot_start_says_why(tmp_path: Path) -> None:
    """A usage error and a broken conftest reach the agent as a log and an exit code."""
    project.write(tmp_path, {"conftest.py": "import nothing_here\n", "test_a.py": "def test_a(): pass\n"})
    with Harness(tmp_path) as harness:
        broken = harness.until("bye")
    with Harness(tmp_path, ["--noconftest", "--no-such-option"]) as harness:
        usage = harness.until("bye")

    assert broken[-1]["code"] == 4
    assert "nothing_here" in broken[-2]["text"]
    assert usage[-1]["code"] == 4
    assert "--no-such-option" in usage[-2]["text"]


def test_output_is_capped_in_the_middle(tmp_path: Path) -> None:
    """A megabyte of output keeps its beginning and its end, whatever bytes it holds."""
    text = "import os\ndef test_loud():\n    os.write(1, b'first' + b'\\xff' * 10**6 + b'last')\n    assert 0\n"
    project.write(tmp_path, {}, test_loud=text)

    results, _ = solo.run_all(tmp_path)

    ((title, output),) = results["test_loud"]["sections"]
    assert title == "Captured stdout call"
    assert len(output) < 140_000
    assert output.startswith("first")
    assert output.rstrip().endswith("last")
