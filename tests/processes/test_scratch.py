"""What dead agents have left in the scratch folder is tidied up, by however many at once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipeline.adapters import process_table
from pipeline.adapters.scratch import sweep_scratch


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
