"""What dead agents have left in the scratch folder is tidied up, by however many at once."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from pipeline.adapters import process_table
from pipeline.adapters.scratch import sweep_scratch
from tests.processes.test_process_table import sleeper


def test_a_folder_that_another_sweep_removes_meanwhile_is_no_trouble(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is gone, which is all that was wanted; the next one is removed as ever."""
    first, second = tmp_path / "agent-1-then", tmp_path / "agent-2-then"
    for folder in (first, second):
        folder.mkdir()

    def is_alive(pid: int, started: str) -> bool:
        if pid == 1:
            shutil.rmtree(first)
        return False

    monkeypatch.setattr(process_table, "is_alive", is_alive)
    removed = sweep_scratch(tmp_path)

    assert str(second) in removed
    assert str(first) not in removed
    assert not second.exists()


def test_processes_are_looked_through_once_however_many_agents_have_died(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Logs are kept for days, and every run tidies up: it must not become slower with each run before it."""
    looked: list[str] = []
    listed = os.listdir

    def listdir(path: str = ".") -> Sequence[str]:
        looked.append(path)
        return listed(path)

    monkeypatch.setattr(os, "listdir", listdir)
    for many in range(30):
        (tmp_path / f"agent-{many}-then").mkdir()
    sweep_scratch(tmp_path, older_than_seconds=1000.0)

    assert looked.count("/proc") == 1


def test_what_any_of_the_dead_has_left_running_is_ended(tmp_path: Path) -> None:
    """One look finds the processes of all."""
    names = [f"agent-{number}-{tmp_path.name}" for number in (1, 2)]
    left = [sleeper(DOIT_FLEET_AGENT=name) for name in names]
    living = sleeper(DOIT_FLEET_AGENT=f"agent-{os.getpid()}-{process_table.start_time(os.getpid())}")
    for name in names:
        (tmp_path / name).mkdir()
    try:
        sweep_scratch(tmp_path)

        assert [child.wait(5) for child in left] == [-9, -9]
        assert living.poll() is None
    finally:
        for child in (*left, living):
            child.kill()
            child.wait()
