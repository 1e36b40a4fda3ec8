"""Fixtures live exactly as long as under plain pytest, although the next test may not be known yet."""

from __future__ import annotations

from pathlib import Path

from tests.harness_pytest import project, solo
from tests.harness_pytest.driving import Harness

NOTES = """
import pytest
from pathlib import Path
def note(text):
    with open(Path(__file__).parent / "notes", "a") as file: file.write(text + "\\n")
@pytest.fixture(scope="session")
def session():
    note("session up"); yield; note("session down")
@pytest.fixture(scope="module")
def module(session, request):
    note("module up " + request.module.__name__); yield; note("module down " + request.module.__name__)
"""
MODULE = "".join(f"def test_{i}(module): pass\n" for i in range(4))
LATE = """
import pytest
@pytest.fixture(scope="module")
def module():
    yield
    print("late words")
    raise OSError("late")
def test_1(module): pass
def test_2(module): pass
"""


def notes(folder: Path) -> list[str]:
    """What the fixtures wrote down."""
    return (folder / "notes").read_text().splitlines()


def test_fixtures_span_batches_sent_one_by_one(tmp_path: Path) -> None:
    """Each batch is sent while the one before runs: module and session fixtures are set up once."""
    project.write(tmp_path, {"conftest.py": NOTES}, test_a=MODULE, test_b=MODULE)
    with Harness(tmp_path) as harness:
        tests = solo.collect(harness)
        for number in range(0, 8, 2):
            solo.send_run(harness, str(number), tests[number : number + 2])
            harness.until("start")
        harness.send("finish")
        harness.until("bye")

    expected = ["session up", "module up test_a", "module down test_a", "module up test_b", "module down test_b"]
    assert notes(tmp_path) == [*expected, "session down"]


def test_a_stolen_file_is_imported_before_the_first_test(tmp_path: Path) -> None:
    """No `collect` was ever asked of this harness; every file is imported all the same, as in a plain session."""
    stolen = "from conftest import note\nnote('import')\n" + MODULE
    project.write(tmp_path, {"conftest.py": NOTES}, test_a=MODULE, test_b=stolen)
    with Harness(tmp_path) as harness:
        harness.until("files")
        for file in ("test_a", "test_b"):
            harness.send("run", batch=file, tests=[[f"{file}.py::test_1", 0, f"{file}.py"]], retries=0, careful=False)
        harness.send("finish")
        messages = harness.until("bye")

    verdicts = [message["result"]["verdict"] for message in messages if message["say"] == "result"]
    assert verdicts == ["passed", "passed"]
    expected = ["import", "session up", "module up test_a", "module down test_a", "module up test_b"]
    assert notes(tmp_path)[:5] == expected


def test_a_result_holds_the_errors_of_all_that_had_to_be_torn_down(tmp_path: Path) -> None:
    """Nobody says whether more will come: the last test's only result tells how its module's tear-down failed."""
    project.write(tmp_path, {}, test_late=LATE)
    with Harness(tmp_path) as harness:
        tests = solo.collect(harness)
        solo.send_run(harness, "0", tests)
        results = solo.finals(harness.until("done"), tests)
        harness.send("finish")
        after = solo.finals(harness.until("bye"), tests)

    assert results["test_2"]["verdict"] == "error"
    assert results["test_2"]["exception"] == "OSError"
    assert ["Captured stdout teardown", "late words\n"] in results["test_2"]["sections"]
    assert [phase["when"] for phase in results["test_2"]["phases"]] == ["setup", "call", "teardown"]
    assert not after


def test_with_finish_sent_ahead_there_is_one_result(tmp_path: Path) -> None:
    """When the end is known before the last tear-down, its error is in the only result."""
    project.write(tmp_path, {}, test_late=LATE)

    results, messages = solo.run_all(tmp_path)

    assert results["test_2"]["verdict"] == "error"
    assert len([message for message in messages if message["say"] == "result"]) == 2
