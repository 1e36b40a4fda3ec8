"""Suites written for pytest-xdist find what they look for, and its own options do nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness_pytest import project, solo
from tests.harness_pytest.driving import Harness

SUITE = """
import os, pytest
def test_environment():
    assert os.environ["PYTEST_XDIST_WORKER"] == "gw1"
    assert os.environ["PYTEST_XDIST_WORKER_COUNT"] == "3"
    assert os.environ["PYTEST_XDIST_TESTRUNUID"] == "the-run"
def test_fixtures(worker_id, testrun_uid): assert (worker_id, testrun_uid) == ("gw1", "the-run")
def test_shared_folder(tmp_path_factory):
    base = tmp_path_factory.getbasetemp()
    assert base.name == "popen-gw1" and base.parent.name == "fleet-the-run"
@pytest.mark.xdist_group("g")
def test_grouped(): pass
@pytest.mark.xdist_group(name="g")
def test_grouped_too(): pass
@pytest.mark.fleet_exclusive("database")
class TestClass:
    class TestInner:
        def test_inner(self): pass
"""
FLAGS = "[pytest]\naddopts = -n auto --dist loadgroup --maxprocesses 2 --strict-markers --junitxml=out.xml -x\n"


@pytest.mark.parametrize("is_installed", [True, False])
def test_a_suite_for_xdist_works(tmp_path: Path, is_installed: bool) -> None:
    """With pytest-xdist and its flags in addopts, and without it."""
    ini = FLAGS if is_installed else "[pytest]\naddopts = --strict-markers -p no:xdist --junitxml=out.xml -x\n"
    project.write(tmp_path, {"pytest.ini": ini}, test_suite=SUITE)
    env = {"PYTEST_DEBUG_TEMPROOT": str(tmp_path)}
    with Harness(tmp_path, slot=1, slots=3, run="the-run", env=env) as harness:
        hello = harness.until("hello")[-1]
        tests = solo.collect(harness)
        solo.send_run(harness, "0", tests)
        harness.send("finish")
        results = solo.finals(harness.until("bye"), tests)

    assert {result["verdict"] for result in results.values()} == {"passed"}
    assert [test[2:4] for test in tests[3:]] == [["xdist_group:g", ""]] * 2 + [["test_suite.py::TestClass", "database"]]
    assert hello["facts"]["maxfail"] == 1
    assert not (tmp_path / "out.xml").exists()
