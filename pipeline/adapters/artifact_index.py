"""When records were last used, and what was asked of the cache with which answers: an SQLite file beside the cache.

Only an aid: what it cannot tell is taken from the files' own times, and its failures fail nothing.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from typing import Any, Final

from pipeline.model.caches import Ask, Session

TOUCH_SECONDS: Final = 3600.0
KEEP_SESSIONS: Final = 20
_VERSION: Final = 1
_BUSY_SECONDS: Final = 10.0
_TABLES: Final = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    "CREATE TABLE IF NOT EXISTS records (name TEXT PRIMARY KEY, used REAL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS sessions (session TEXT PRIMARY KEY, started REAL)",
    "CREATE TABLE IF NOT EXISTS asks (session TEXT, key TEXT, about TEXT, answer TEXT, PRIMARY KEY (session, key))",
    "CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value REAL)",
    f"PRAGMA user_version = {_VERSION}",
)
_TOUCH: Final = f"""INSERT INTO records VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET used = excluded.used
    WHERE used < excluded.used - {TOUCH_SECONDS}"""


class ArtifactIndex:
    """The index of the cache in the folder `root`; several processes may use it at once."""

    def __init__(self, root: str) -> None:
        self._path = os.path.join(root, "index.db")

    def note(self, session: str, started: float, used: Iterable[str], asks: Iterable[Ask]) -> None:
        """Write down that these records (`<level>/<key>`) are used now, and what was asked."""
        now = time.time()
        uses = [(name, now) for name in sorted(set(used))]
        rows = [(session, ask.key, ask.about, ask.answer) for ask in asks]

        def write(base: sqlite3.Connection) -> None:
            base.executemany(_TOUCH, uses)
            if rows:
                base.execute("INSERT OR IGNORE INTO sessions VALUES (?, ?)", (session, started))
                base.executemany("INSERT OR REPLACE INTO asks VALUES (?, ?, ?, ?)", rows)
                _prune(base)

        self._write(write)

    def uses(self) -> dict[str, float]:
        """Last use by record, seconds since the epoch; records may be missing."""
        return dict(self._read("SELECT name, used FROM records"))

    def forget(self, names: Iterable[str]) -> None:
        """Drop records that are no more."""
        gone = [(name,) for name in names]
        self._write(lambda base: base.executemany("DELETE FROM records WHERE name = ?", gone))

    def sessions(self, count: int) -> list[Session]:
        """What the last processes asked, newest first."""
        newest = self._read("SELECT session, started FROM sessions ORDER BY started DESC LIMIT ?", (count,))
        return [Session(started=started, asks=self._asks(session)) for session, started in newest]

    def _asks(self, session: str) -> list[Ask]:
        rows = self._read("SELECT key, about, answer FROM asks WHERE session = ? ORDER BY about, key", (session,))
        return [Ask(key=key, about=about, answer=answer) for key, about, answer in rows]

    def last_cleaned(self) -> float:
        """Seconds since the epoch; 0.0: never."""
        rows = self._read("SELECT value FROM facts WHERE name = 'cleaned'")
        return float(rows[0][0]) if rows else 0.0

    def say_cleaned(self, now: float) -> None:
        """Write down that the cache was cleaned."""
        self._write(lambda base: base.execute("INSERT OR REPLACE INTO facts VALUES ('cleaned', ?)", (now,)))

    def _read(self, query: str, values: tuple[object, ...] = ()) -> list[Any]:
        if not os.path.exists(self._path):
            return []
        try:
            with closing(_open(self._path, "ro")) as base:
                return base.execute(query, values).fetchall()
        except sqlite3.Error:
            return []

    def _write(self, work: Callable[[sqlite3.Connection], object]) -> None:
        try:
            with closing(self._connect()) as base, base:
                base.execute("BEGIN IMMEDIATE")
                work(base)
        except (sqlite3.Error, OSError):
            return  # Read-only, full or busy: then last uses are as old as the files.

    def _connect(self) -> sqlite3.Connection:
        os.makedirs(os.path.dirname(self._path), exist_ok=True)
        try:
            base = _open(self._path, "rwc")
        except sqlite3.OperationalError:
            raise  # Locked, forbidden, full: the file itself may be sound.
        except sqlite3.DatabaseError:
            os.replace(self._path, f"{self._path}.unreadable")
            base = _open(self._path, "rwc")
        for statement in _TABLES:
            base.execute(statement)
        return base


def _open(path: str, mode: str) -> sqlite3.Connection:
    quoted = path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    base = sqlite3.connect(f"file:{quoted}?mode={mode}", uri=True, timeout=_BUSY_SECONDS, isolation_level=None)
    try:
        if base.execute("PRAGMA user_version").fetchone()[0] not in (0, _VERSION):
            raise sqlite3.DatabaseError(f"{path!r} is of another version")
        base.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error:
        base.close()
        raise
    return base


def _prune(base: sqlite3.Connection) -> None:
    old = "SELECT session FROM sessions ORDER BY started DESC LIMIT -1 OFFSET ?"
    base.execute(f"DELETE FROM asks WHERE session IN ({old})", (KEEP_SESSIONS,))
    base.execute(f"DELETE FROM sessions WHERE session IN ({old})", (KEEP_SESSIONS,))
