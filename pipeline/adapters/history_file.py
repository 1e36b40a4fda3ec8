"""The SQLite file of the history: its tables, how it is opened, and what happens when it is no such file.

What the numbers in it mean is not known here.
"""

from __future__ import annotations

import os
import sqlite3
import time
from typing import Final

VERSION: Final = 1
_BUSY_SECONDS: Final = 30.0
_TABLES = (
    "CREATE TABLE IF NOT EXISTS runs (run TEXT, branch TEXT, learned REAL, PRIMARY KEY (run, branch)) WITHOUT ROWID",
    """CREATE TABLE IF NOT EXISTS durations (branch TEXT, test TEXT, suite TEXT, seconds REAL, recent BLOB, seen REAL,
    PRIMARY KEY (branch, test)) WITHOUT ROWID""",
    f"PRAGMA user_version = {VERSION}",
)


def connect(path: str, *, repair: bool = False) -> sqlite3.Connection:
    """Open the file; `sqlite3.Error` when it is damaged or of another version.

    With `repair` it is made when missing, and such a file is put aside as `<path>.unreadable-<time>` first: losing
    estimates costs some balance, refusing to go on would cost the run.
    """
    if not repair:
        return _open(path, f"file:{_quoted(path)}?mode=ro")
    try:
        base = _open(path, f"file:{_quoted(path)}?mode=rwc")
    except sqlite3.OperationalError:
        raise  # Locked, forbidden, full: the file itself may be sound.
    except sqlite3.DatabaseError:
        os.replace(path, f"{path}.unreadable-{time.time():.0f}")
        base = _open(path, f"file:{_quoted(path)}?mode=rwc")
    _switch_to_wal(base)
    for statement in ("PRAGMA synchronous = NORMAL", *_TABLES):
        base.execute(statement)
    return base


def _switch_to_wal(base: sqlite3.Connection) -> None:
    """Several may do it at once, and SQLite waits for nobody here: https://www.sqlite.org/wal.html, "Sometimes Queries Return SQLITE_BUSY"."""
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            base.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _open(path: str, uri: str) -> sqlite3.Connection:
    base = sqlite3.connect(uri, uri=True, timeout=_BUSY_SECONDS, isolation_level=None)
    try:
        version = base.execute("PRAGMA user_version").fetchone()[0]
        base.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if version not in (0, VERSION):
            raise sqlite3.DatabaseError(f"{path!r} is of version {version}, not {VERSION}")
    except sqlite3.Error:
        base.close()
        raise
    return base


def _quoted(path: str) -> str:
    return os.path.abspath(path).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
