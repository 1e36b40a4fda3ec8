"""Print what a benchmark measured: a table for people, or one JSON object for machines."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence

Row = Mapping[str, str | int | float]


def show(name: str, rows: Sequence[Row], *, as_json: bool) -> None:
    """Write the rows to standard output; all have the same columns."""
    text = json.dumps({"benchmark": name, "rows": list(rows)}, indent=1) if as_json else _table(rows)
    sys.stdout.write(f"{text}\n")


def _table(rows: Sequence[Row]) -> str:
    lines = [list(rows[0])] if rows else []
    lines += [[_cell(value) for value in row.values()] for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(str.rjust, line, widths)) for line in lines)


def _cell(value: str | float) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)
