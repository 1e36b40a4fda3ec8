"""Two agents at once, damaged files, other versions, places that cannot be written."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from pipeline.adapters.history import SqliteHistory
from pipeline.errors import EngineError


def test_two_agents_lose_nothing_of_each_other(tmp_path: Path) -> None:
    """Each learns in a thread and connection of its own; all that was learned is there."""
    gate = threading.Barrier(4)

    def learn(agent: int) -> None:
        history = SqliteHistory(tmp_path / "h.sqlite")
        gate.wait()
        for number in range(10):
            history.take_over("unit", {f"unit::{agent}.{number}": 1.0}, branch="main")

    threads = [threading.Thread(target=learn, args=(agent,)) for agent in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(SqliteHistory(tmp_path / "h.sqlite").estimates("unit", ["main"])) == 40


def test_an_unreadable_file_is_put_aside_not_destroyed(tmp_path: Path) -> None:
    """Reading gives nothing; learning begins anew and keeps the old bytes under another name."""
    path = tmp_path / "h.sqlite"
    path.write_bytes(b"no database" * 100)
    history = SqliteHistory(path)

    assert history.estimates("unit", ["main"]) == {}
    history.take_over("unit", {"unit::t": 2.0}, branch="main")
    assert history.estimates("unit", ["main"]) == {"unit::t": 2.0}
    assert [kept.read_bytes() for kept in tmp_path.glob("h.sqlite.unreadable-*")] == [b"no database" * 100]


def test_another_versions_file_is_put_aside(tmp_path: Path) -> None:
    """A newer doit-fleet's history is neither misread nor overwritten."""
    with sqlite3.connect(tmp_path / "h.sqlite") as base:
        base.execute("PRAGMA user_version = 99")
    base.close()
    history = SqliteHistory(tmp_path / "h.sqlite")
    history.take_over("unit", {"unit::t": 2.0}, branch="main")

    assert history.estimates("unit", ["main"]) == {"unit::t": 2.0}
    assert len(list(tmp_path.glob("h.sqlite.unreadable-*"))) == 1


def test_a_place_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    """The caller can report it and go on."""
    (tmp_path / "file").write_text("")

    with pytest.raises(EngineError, match=r"cannot be written.*\n.*the run itself is not touched"):
        SqliteHistory(tmp_path / "file" / "h.sqlite").take_over("unit", {"unit::t": 1.0}, branch="main")
