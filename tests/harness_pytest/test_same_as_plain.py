"""Two harnesses with shuffled batches say of each test exactly what plain pytest says."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.harness_pytest import project
from tests.harness_pytest.compare import differences, plain_records
from tests.harness_pytest.fleet import Fleet

VARIANTS = {
    "doctests": ["--doctest-modules", "--doctest-glob=test*.txt", "--continue-on-collection-errors"],
    "importlib": ["--import-mode=importlib", "--continue-on-collection-errors", "--ignore=loose", "--ignore=zone"],
    "selected by node ids": [
        "test_outcomes.py::test_fail",
        "test_scopes.py::TestOrder",
        "pkg",
        "test_unit.py::Case::test_sub",
    ],
    "selected by keyword": ["-k", "here or test_1", "--continue-on-collection-errors"],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The nasty project with subtests."""
    return project.write(tmp_path_factory.mktemp("project"), test_subtests=project.SUBTESTS)


@pytest.mark.parametrize("name", VARIANTS)
def test_each_test_is_reported_as_by_plain_pytest(folder: Path, name: str) -> None:
    """Node ids, outcomes per phase, verdicts, reasons, exceptions and properties agree."""
    plain = plain_records(folder, VARIANTS[name], sys.executable)
    fleet = Fleet(folder, VARIANTS[name], python=sys.executable, seed=len(name)).run()

    assert not differences(plain, fleet)
    assert plain["records"]


def test_a_hook_that_reorders_makes_each_harness_collect_everything(tmp_path: Path) -> None:
    """The project's own hook sees the whole list once, as in plain pytest, and the reason is said."""
    project.write(tmp_path)
    (tmp_path / "conftest.py").write_text((tmp_path / "conftest.py").read_text() + project.REORDER)
    args = ["--continue-on-collection-errors"]

    fleet = Fleet(tmp_path, args, python=sys.executable, seed=1).run()

    assert not differences(plain_records(tmp_path, args, sys.executable), fleet)
    assert "pytest_collection_modifyitems in conftest" in fleet.whole
