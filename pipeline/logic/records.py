"""Journal records: one line of ASCII each, `<kind> <batch> <attempt> <test> <JSON>`.

The head can be read without parsing the JSON, because most readers only ask which tests are done. Kinds: `head`
(plan, worker), `ready` (its harness has said hello), `start`, `final` (a result that counts), `part` (the tests of a further `run` message), `death` (a
harness ended before its time). It must not know the journal that keeps them.
"""

from __future__ import annotations

import json
from typing import Any

from attrs import frozen

from pipeline.errors import StoreDamaged

NOBODY = -1
"""In place of a test: the record is about none."""

_encode = json.JSONEncoder(separators=(",", ":")).encode


@frozen
class Record:
    """One parsed record; `text` is its JSON, parsed when asked for."""

    kind: str
    batch: int
    attempt: int
    test: int
    text: str

    @property
    def body(self) -> dict[str, Any]:
        """The JSON object. Raises `StoreDamaged`."""
        try:
            found = json.loads(self.text)
        except (ValueError, RecursionError) as error:
            raise StoreDamaged(f"journal record is damaged: {error}") from error
        if not isinstance(found, dict):
            raise StoreDamaged(f"journal record is damaged: {self.text[:40]!r} is no object")
        return found


def write_record(kind: str, batch: int, attempt: int, test: int, body: dict[str, Any]) -> bytes:
    """Spell a record."""
    return f"{kind} {batch} {attempt} {test} {_encode(body)}".encode("ascii")


def read_record(line: bytes) -> Record:
    """Parse a record. Raises `StoreDamaged`."""
    try:
        kind, batch, attempt, test, text = line.decode("ascii").split(" ", 4)
        return Record(kind, int(batch), int(attempt), int(test), text)
    except ValueError as error:
        raise StoreDamaged(f"journal record is damaged: {line[:40]!r}") from error


def label(batch: int, attempt: int, part: int) -> str:
    """How a `run` message names its tests to the harness; messages of the harness carry it back."""
    return f"{batch}.{attempt}.{part}"


def read_label(text: str) -> tuple[int, int, int]:
    """(batch, attempt, part). Raises `ValueError`."""
    batch, attempt, part = text.split(".")
    return int(batch), int(attempt), int(part)
