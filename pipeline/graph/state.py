"""doit's memory of finished tasks, kept so that a killed run forgets nothing: SQLite, one commit per finished task.

A subclass of doit's own sqlite backend; two doits at once wait for each other instead of failing.
"""

from __future__ import annotations

import os
import sys
from functools import cached_property
from typing import Any

from doit.dependency import DatabaseException, SqliteDB  # type: ignore[import-untyped]
from doit.exceptions import InvalidDodoFile  # type: ignore[import-untyped]

LAST_KEY = "deps:"
"""The key that doit stores last for a task that succeeded."""
BUSY_MILLISECONDS = 30_000


class StateDB(SqliteDB):  # type: ignore[misc]
    """The backend called `fleet`. In a place that cannot be written nothing is remembered."""

    desc = "SQLite, saved after each task"

    def __init__(self, name: str, codec: Any, *, module_name: str | None = None) -> None:
        self.name = name
        self.codec = codec
        self._cache: dict[str, dict[str, Any]] = {}
        self._dirty: set[str] = set()

    @cached_property
    def _conn(self) -> Any:
        """The connection, made when it is first needed: a list of names needs none."""
        return self._sqlite3(self.name)

    def _sqlite3(self, name: str) -> Any:
        try:
            connection = super()._sqlite3(_writable(name))
        except DatabaseException as error:
            raise InvalidDodoFile(f"the state file {name!r} is damaged: {error}\n  hint: remove it") from error
        connection.isolation_level = None
        connection.execute(f"pragma busy_timeout = {BUSY_MILLISECONDS}")
        try:
            connection.execute("pragma journal_mode = wal")
            connection.execute("pragma synchronous = normal")
        except connection.OperationalError:
            pass  # Another doit is just doing the same, or this file system has no shared memory: both are safe.
        return connection

    def set(self, task_id: str, dependency: str, value: object) -> None:
        """Store a value; the task's last one makes all of them durable."""
        self.get(task_id, dependency)  # Reads the row, so that nothing of it is lost when it is written whole.
        super().set(task_id, dependency, value)
        if dependency == LAST_KEY:
            self._write(task_id)

    def items(self) -> list[tuple[str, Any]]:
        """All that is remembered, by task."""
        rows = self._conn.execute("select task_id, task_data from doit order by task_id")
        return [(row["task_id"], row["task_data"]) for row in rows]

    def dump(self) -> None:
        """Write what is left and close."""
        for task_id in sorted(self._dirty):
            self._write(task_id)
        if "_conn" in vars(self):
            super().dump()

    def _write(self, task_id: str) -> None:
        row = (task_id, self.codec.encode(self._cache[task_id]))
        try:
            self._conn.execute("insert or replace into doit values (?, ?)", row)
        except self._conn.OperationalError as error:
            sys.stderr.write(f"doit-fleet: {task_id} will run again next time, its state was not saved: {error}\n")
        self._dirty.discard(task_id)


def _writable(name: str) -> str:
    folder = os.path.dirname(os.path.abspath(name))
    try:
        if not os.path.isdir(folder):
            _make(folder)
    except OSError:
        return ":memory:"
    writable = os.access(folder, os.W_OK) and (not os.path.exists(name) or os.access(name, os.W_OK))
    return name if writable else ":memory:"


def _make(folder: str) -> None:
    os.makedirs(folder, exist_ok=True)
    if os.path.basename(folder) == ".fleet":
        with open(os.path.join(folder, ".gitignore"), "w", encoding="utf-8") as file:
            file.write("*\n")  # What we keep beside a project never belongs to its history.
