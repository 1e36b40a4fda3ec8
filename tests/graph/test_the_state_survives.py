"""The state file: damage is said plainly, a place that cannot be written is no obstacle."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from doit.dependency import JSONCodec  # type: ignore[import-untyped]

from pipeline.graph.checker import ContentChecker
from pipeline.graph.state import StateDB
from tests.graph.conftest import Project


def test_a_damaged_file_is_named(project: Project) -> None:
    """No traceback, and what to do."""
    project.write(".fleet/doit.db", "this is no database " * 100)

    answer = project.doit(code=3)

    assert "the state file '.fleet/doit.db' is damaged" in answer.stderr
    assert "hint: remove it" in answer.stderr


def test_a_finished_task_is_durable_before_the_run_ends(tmp_path: Path) -> None:
    """Another reader sees it at once; what is not finished, only at the end."""
    name = str(tmp_path / "state" / "doit.db")
    writer = StateDB(name, JSONCodec())
    writer.set("one", "_values_:", {"a": 1})
    assert not StateDB(name, JSONCodec()).in_("one")

    writer.set("one", "deps:", ())
    writer.set("two", "ignore:", "1")

    assert {"a": 1} == StateDB(name, JSONCodec()).get("one", "_values_:")
    assert StateDB(name, JSONCodec()).get("two", "ignore:") is None
    writer.dump()
    assert "1" == StateDB(name, JSONCodec()).get("two", "ignore:")


def test_an_unread_row_is_not_overwritten(tmp_path: Path) -> None:
    """Setting one value of a task keeps the others that an earlier run saved."""
    name = str(tmp_path / "doit.db")
    for key in ("one", "two"):
        state = StateDB(name, JSONCodec())
        state.set("task", key, key)
        state.dump()

    assert [("task", {"one": "one", "two": "two"})] == StateDB(name, JSONCodec()).items()


def test_where_nothing_can_be_written_nothing_is_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A read-only project still runs."""
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    state = StateDB(str(tmp_path / "doit.db"), JSONCodec())
    state.set("task", "deps:", ())
    state.dump()

    assert [] == list(tmp_path.iterdir())


def test_a_new_state_folder_is_not_for_version_control(tmp_path: Path) -> None:
    """`.fleet` ignores itself."""
    StateDB(str(tmp_path / ".fleet" / "doit.db"), JSONCodec()).in_("x")

    assert "*\n" == (tmp_path / ".fleet" / ".gitignore").read_text()


def test_content_decides_whether_a_file_changed(tmp_path: Path) -> None:
    """Neither equal times nor other times matter; right after a change times are not trusted at all."""
    checker = ContentChecker()
    file = tmp_path / "data"

    def write(text: str) -> os.stat_result:
        file.write_text(text)
        os.utime(file, (1, 1))
        return file.stat()

    write("one")
    state = checker.get_state(str(file), None)
    assert state is not None
    assert state[0] is None
    assert not checker.check_modified(str(file), write("one"), state)
    assert checker.check_modified(str(file), write("two"), state)
    state[0] = [0, 0, 0, 3]
    assert checker.get_state(str(file), state) is not None
