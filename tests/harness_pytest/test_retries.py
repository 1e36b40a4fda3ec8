"""Retries run a test again in full; every try is said, and the test can see which one it is in."""

from __future__ import annotations

from pathlib import Path

from tests.harness_pytest import project, solo
from tests.harness_pytest.driving import Harness

FLAKY = """
import os
import pytest
made = []
@pytest.fixture(scope="module")
def module(): made.append("module")
@pytest.fixture
def function(module): made.append("function")
def test_flaky(function): assert os.environ["DOIT_FLEET_ATTEMPT"] == "3"
def test_made(module): assert made == ["module", "function", "function", "function"]
def test_always_bad(): assert 0
def test_good(): assert os.environ["DOIT_FLEET_ATTEMPT"] == "1"
@pytest.fixture(scope="module")
def slow_to_start():
    if os.environ["DOIT_FLEET_ATTEMPT"] == "1": raise OSError("not yet")
def test_setup(slow_to_start): pass
def test_setup_again(slow_to_start): pass
"""


def test_failed_tries_are_said_and_a_later_pass_decides(tmp_path: Path) -> None:
    """Set-up to tear-down is repeated, also when a module's fixture failed; module fixtures that work stay."""
    project.write(tmp_path, {}, test_flaky=FLAKY)

    results, messages = solo.run_all(tmp_path, retries=2)

    assert {name: (each["verdict"], each.get("tries", 1)) for name, each in results.items()} == {
        "test_flaky": ("passed", 3),
        "test_made": ("passed", 1),
        "test_always_bad": ("failed", 3),
        "test_good": ("passed", 1),
        "test_setup": ("passed", 2),
        "test_setup_again": ("passed", 1),
    }
    assert [m["i"] for m in messages if m["say"] == "result" and not m["final"]] == [0, 0, 2, 2, 4]
    assert {name: [one["verdict"] for one in each.get("earlier", ())] for name, each in results.items()} == {
        "test_flaky": ["failed", "failed"],
        "test_made": [],
        "test_always_bad": ["failed", "failed"],
        "test_good": [],
        "test_setup": ["error"],
        "test_setup_again": [],
    }
    assert [m["i"] for m in messages if m["say"] == "start"] == [0, 1, 2, 3, 4, 5]


def test_a_careful_batch_waits_for_go(tmp_path: Path) -> None:
    """Each start is flushed, and the test does not begin before its start is durable."""
    project.write(tmp_path, {"test_a.py": "def test_a(): open('ran', 'w')\ndef test_b(): pass\n"})
    with Harness(tmp_path) as harness:
        tests = solo.collect(harness)
        solo.send_run(harness, "7.2", tests, careful=True)
        first = harness.until("start")[-1]
        assert not (tmp_path / "ran").exists()
        harness.send("go", i=0)
        second = harness.until("start")
        harness.send("go", i=1)
        harness.until("done")

    assert (first["batch"], first["i"]) == ("7.2", 0)
    assert [message["say"] for message in second] == ["result", "start"]


def test_a_test_that_is_not_there_is_not_run(tmp_path: Path) -> None:
    """Unknown files, names and occurrences each get a final result."""
    project.write(tmp_path, {"test_a.py": "def test_a(): pass\n"})
    named = [["test_a.py::test_b", 0, "test_a.py"], ["test_a.py::test_a", 1, "test_a.py"], ["x.py::y", 0, "x.py"]]
    with Harness(tmp_path) as harness:
        harness.until("files")
        harness.send("run", batch="0", tests=named, retries=0, careful=False)
        messages = harness.until("done")

    results = [message["result"] for message in messages if message["say"] == "result"]
    assert [(result["verdict"], result["message"]) for result in results] == [("not-run", "not found")] * 3
