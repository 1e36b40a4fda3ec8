"""What a worker in a container says for people, which outlives it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.worker.log import Log


def test_the_end_of_the_latest_harness_output_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its file goes with the container; control characters are not obeyed."""
    for number, text in ((1, "usage: pytest\n"), (2, "first\nerror: unrecognized arguments: --cov\x1b[2J\n")):
        path = tmp_path / "agent-1-2" / "slot-0" / f"000{number}" / "worker.log"
        path.parent.mkdir(parents=True)
        path.write_text(text)
        os.utime(path, (number, number))

    Log().say_last_words(tmp_path)

    said = capsys.readouterr().out
    assert "error: unrecognized arguments: --cov?[2J" in said
    assert "usage" not in said


def test_no_output_is_nothing_to_say(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A harness that was never started has no file."""
    Log().say_last_words(tmp_path)

    assert capsys.readouterr().out == ""
