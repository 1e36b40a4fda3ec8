"""Node ids that pytest makes differently in another order of files are found all the same."""

from __future__ import annotations

from pathlib import Path

from tests.harness_pytest import project, solo
from tests.harness_pytest.driving import Harness

BASE = """
import pytest

class Contract:
    @pytest.mark.parametrize("key", ["a\\nb", "plain"], ids=repr)
    def test_key(self, key):
        assert key
"""
HEIR = """
from base import Contract

class Test{name}(Contract):
    pass
"""


def test_backslashes_that_double_with_each_heir_are_found_in_any_order(tmp_path: Path) -> None:
    """One harness has collected the files in order; another one is asked for the last file's tests first."""
    project.write(tmp_path, {"base.py": BASE}, test_a=HEIR.format(name="A"), test_b=HEIR.format(name="B"))
    with Harness(tmp_path) as first:
        tests = solo.collect(first)
    asked = tests[::-1]

    with Harness(tmp_path, slot=1) as second:
        second.until("files")
        solo.send_run(second, "0.1", asked)
        second.send("finish")
        results = solo.finals(second.until("bye"), asked)

    assert {name: one["verdict"] for name, one in results.items()} == dict.fromkeys(results, "passed")
    assert len(results) == 4
