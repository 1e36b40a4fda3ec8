"""A session in a warm process is the same session."""

from __future__ import annotations

from pathlib import Path

from tests.harness_pytest import project, solo

SUITE = """
import sys
import pytest
def test_assertions_are_rewritten():
    with pytest.raises(AssertionError, match="1 == 2"): assert 1 == 2
def test_main_is_that_of_pytest(): assert "_doit_fleet_harness" not in str(sys.modules["__main__"].__dict__).lower()
def test_children_can_be_spawned():
    import multiprocessing
    with multiprocessing.get_context("spawn").Pool(1) as pool: assert pool.map(abs, [-1]) == [1]
"""


def test_plug_ins_imported_early_raise_no_warning(tmp_path: Path) -> None:
    """Even where warnings are errors; assertions are rewritten, and child processes start."""
    project.write(tmp_path, {"pytest.ini": "[pytest]\nfilterwarnings = error\n"}, test_suite=SUITE)

    results, _ = solo.run_all(tmp_path, warm=True)

    assert {name: (each["verdict"], each.get("message")) for name, each in results.items()} == dict.fromkeys(
        results, ("passed", None)
    )
    assert len(results) == 3
