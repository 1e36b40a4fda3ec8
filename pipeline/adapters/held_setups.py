"""What a whole run shares, set up and held by a process of this machine (`harness/command_holding.py`).

It tears down by itself when this process dies. Must not know suites or runs beyond their names.
"""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from attrs import field, frozen

from pipeline.errors import EngineError
from pipeline.harness import command_holding

LONGEST_LINE = 2**24
MARK = command_holding.MARK
"""Environment variable of all that a holder starts: whose it is."""


@frozen(kw_only=True)
class Exports:
    """What has been set up."""

    values: Mapping[str, str] = field(factory=dict, repr=False)
    """Variables for the tests; may be secrets."""
    warnings: Sequence[str] = ()
    """Of what an earlier holder had left, and could not be torn down."""


class HeldSetUps:
    """One holder."""

    def __init__(self, process: Process) -> None:
        self._process = process

    @classmethod
    async def begin(cls, order: Mapping[str, Any], env: Mapping[str, str]) -> HeldSetUps:
        """Start it; a session of its own keeps signals of the terminal from it. Raises `EngineError`."""
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                str(Path(command_holding.__file__)),
                stdin=PIPE,
                stdout=PIPE,
                stderr=DEVNULL,
                env=dict(env),
                start_new_session=True,
                limit=LONGEST_LINE,
            )
        except OSError as error:
            raise EngineError(f"what a run shares cannot be set up: {error}") from error
        assert process.stdin is not None
        process.stdin.write(json.dumps(order).encode("ascii") + b"\n")
        return cls(process)

    async def exports(self, name: str) -> Exports:
        """Wait until all is set up. Raises `EngineError` with what the command said, when it could not be."""
        told = await self._hear()
        if "exports" in told:
            return Exports(values=told["exports"], warnings=tuple(told["warnings"]))
        await self._process.wait()
        text = str(told.get("trouble") or f"the process that sets up ended with status {self._process.returncode}")
        details = str(told.get("details", "")).removeprefix(text).strip()
        raise EngineError(f"suite {name!r}: {text}" + (f"\n{details}" if details else ""))

    def stop(self) -> None:
        """End what is being set up."""
        with suppress(ProcessLookupError):
            self._process.terminate()

    async def end(self, seconds: float) -> Sequence[str]:
        """Have all of it torn down; what went wrong, a text each. Who takes longer than that is killed."""
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.write(f"{command_holding.END}\n".encode("ascii"))
        try:
            async with asyncio.timeout(seconds):
                told = await self._hear()
                await self._process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
            return (f"what the run shared was not torn down within {seconds:g} s",)
        return tuple(told.get("troubles", ("what the run shared may still stand: who held it has died",)))

    async def _hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        found = json.loads(line) if line.endswith(b"\n") else {}
        return found if isinstance(found, dict) else {}
