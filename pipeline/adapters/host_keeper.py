"""The agent's side of a keeper: what all workers of this machine share is set up by a process that outlives a killed agent.

The keeper's side is `pipeline.harness.host_setups`. Must not know suites beyond what the keeper is told.
"""

from __future__ import annotations

import asyncio
import json
import os
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pipeline.harness
from pipeline.errors import EngineError

KEEPER = """\
import sys
if not (sys.flags.isolated or getattr(sys.flags, "safe_path", False)): del sys.path[0]
import importlib.util
spec = importlib.util.spec_from_file_location("_doit_fleet_harness", sys.argv[1] + "/__init__.py",
                                              submodule_search_locations=[sys.argv[1]])
sys.modules[spec.name] = importlib.util.module_from_spec(spec)
from _doit_fleet_harness.host_setups import keep
keep()
"""
LONGEST_LINE = 1 << 22


class HostKeeper:
    """One suite's."""

    def __init__(self, python: str, order: Mapping[str, Any], log: Path) -> None:
        """`order` as `host_setups.keep` wants it."""
        self._python, self._order, self._log = python, order, log
        self._process: Process | None = None

    async def set_up(self) -> dict[str, str]:
        """Set up; what is exported. Raises `EngineError` that is permanent."""
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                self._python,
                "-c",
                KEEPER,
                str(Path(pipeline.harness.__file__).parent),
                stdin=PIPE,
                stdout=PIPE,
                stderr=log,
                cwd=str(self._order["root"]),
                env={**os.environ},
                start_new_session=True,
                limit=LONGEST_LINE,
            )
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(self._order).encode("ascii") + b"\n")
        told = await self._hear()
        if "exports" not in told:
            error = EngineError(f"suite {self._order['suite']!r}: {told.get('details') or 'its keeper has died'}")
            error.permanent = True
            raise error
        return {str(name): str(value) for name, value in told["exports"].items()}

    async def close(self) -> list[str]:
        """Tear down, wait for that; what went wrong."""
        if self._process is None or self._process.stdin is None:
            return []
        self._process.stdin.close()
        told = await self._hear()
        await self._process.wait()
        return [str(text) for text in told.get("down", ["its keeper was killed; the next run tears down"])]

    async def _hear(self) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        try:
            return dict(json.loads(line))
        except (ValueError, TypeError):
            return {}
