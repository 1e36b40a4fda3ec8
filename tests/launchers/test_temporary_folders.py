"""Temporary folders of killed agents are removed by the next one; nobody else's are."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from pipeline.adapters.temporary import sweep_temporary, temporary_folder

MAKE = """\
import os, signal
from pipeline.adapters.temporary import temporary_folder
made = temporary_folder("layers")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_only_what_the_dead_have_left_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A killed process's folder goes; a living one's, one of another world and one that is no folder stay."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    subprocess.run([sys.executable, "-c", MAKE], env={"TMPDIR": str(tmp_path)}, check=False)
    (dead,) = tmp_path.iterdir()
    elsewhere = tmp_path / dead.name.replace(dead.name.split("-")[3], "0" * 8)
    elsewhere.mkdir()
    link = tmp_path / f"{dead.name}link"
    link.symlink_to(elsewhere)
    (tmp_path / "doit-fleet-a-b").mkdir()
    with temporary_folder("layers") as living:
        assert sweep_temporary() == [str(dead)]

        assert Path(living).exists()
    assert {path.name for path in tmp_path.iterdir()} == {elsewhere.name, link.name, "doit-fleet-a-b"}
