"""doit's `dumpdb` for our state file: doit's own reads dbm files only.

Any other file is left to doit's own command.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pprint import pformat
from typing import Any

from doit.cmd_dumpdb import DumpDB as DoitDumpDB  # type: ignore[import-untyped]
from doit.dependency import JSONCodec  # type: ignore[import-untyped]

from pipeline.graph.state import StateDB

MAGIC = b"SQLite format 3\x00"


class DumpDB(DoitDumpDB):  # type: ignore[misc]
    """The command `dumpdb`."""

    def execute(self, opt_values: Mapping[str, Any], pos_args: Sequence[str]) -> None:
        """Print what is remembered of each task."""
        name = opt_values["dep_file"]
        if not _is_sqlite(name):
            super().execute(opt_values, pos_args)
            return
        state = StateDB(name, JSONCodec())
        for task, values in state.items():
            print(f"{task} -> {pformat(values, indent=4, width=100)}")
        state.dump()


def _is_sqlite(name: str) -> bool:
    try:
        with open(name, "rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False
