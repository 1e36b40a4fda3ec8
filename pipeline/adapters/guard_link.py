"""The agent's side of one guard: its stamps, renewals, orders to it, and how its harness ended.

The protocol is `pipeline.harness.guard`'s. When the guard itself is lost, its zygote is asked; when that is lost too,
the process table.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable
from typing import Any

from attrs import frozen

from pipeline.adapters import process_table
from pipeline.adapters.control import Control
from pipeline.adapters.waiting import Bell
from pipeline.adapters.zygote import Zygote

BURY_SECONDS = 12.0
KILL_MARGIN_SECONDS = 5.0


@frozen(kw_only=True)
class Ending:
    """How a harness ended, and whether nothing of it can live."""

    code: int | None
    cause: str
    asked: bool
    proof: bool


class GuardLink:
    """One guard, from its fork to its end."""

    def __init__(self, end: socket.socket, zygote: Zygote, silence_seconds: float) -> None:
        self.bell = Bell()
        """Rings when something came from the guard, or when it is gone."""
        self._control = Control(end, self._note, self.bell)
        self._zygote = zygote
        self._silence_seconds = silence_seconds
        self.look_seconds = min(0.5, silence_seconds / 8)
        """How often `look` wants to be called while the loop runs."""
        self._heard_at = self._looked_at = time.monotonic()
        self._kill_until: float | None = None
        self._asked = False
        self._is_ended_by_us = False
        self.guard = 0
        self.harness = 0
        """Process ids; 0 until known."""
        self.identities: list[tuple[int, str]] = []
        """(pid, start time) of guard and harness."""
        self.stamp: float | None = None
        self.ending: Ending | None = None
        self.on_identities: Callable[[], None] = lambda: None

    @property
    def is_lost(self) -> bool:
        """Whether the guard is gone without having said how its harness ended."""
        return self._control.is_closed and self.ending is None

    def attach(self) -> None:
        """Listen in the running loop."""
        self._control.attach()
        self._zygote.attach()

    async def introduce(self, seconds: float) -> None:
        """Wait until guard and harness are known by their process ids, or the guard is gone."""
        until = time.monotonic() + seconds
        while not self.identities and not self._control.is_closed and time.monotonic() < until:
            await self.bell.wait(until - time.monotonic())

    def renew(self, stamp: float, span_seconds: float) -> None:
        """Permit until `stamp` + span on the guard's clock."""
        self._control.send({"renew": [stamp, span_seconds]})

    def dump(self) -> None:
        """Have the stacks written."""
        self._control.send({"dump": 1})

    def ask(self) -> None:
        """Remember that whatever ends now was asked to."""
        self._asked = True

    def kill(self, grace_seconds: float) -> None:
        """TERM now, KILL after the grace; a guard that does not obey is killed itself."""
        self._asked = True
        self._control.send({"kill": grace_seconds})
        self._kill_until = time.monotonic() + grace_seconds + KILL_MARGIN_SECONDS

    def look(self) -> None:
        """End a guard that has fallen silent (stopped, say): it could not keep its promise.

        Must be called now and then while the loop runs; a gap between looks is the observer's own and starts the
        silence anew.
        """
        now = time.monotonic()
        if now - self._looked_at > self._silence_seconds / 2:
            self._heard_at = now
            if self._kill_until is not None:
                self._kill_until = max(self._kill_until, now + KILL_MARGIN_SECONDS)
        self._looked_at = now
        is_silent = now - self._heard_at > self._silence_seconds
        is_disobedient = self._kill_until is not None and now > self._kill_until
        if (is_silent or is_disobedient) and not self._is_ended_by_us and self.ending is None:
            self._is_ended_by_us = True
            self._zygote.end_guard(self.guard)
            self._kill_until = now + KILL_MARGIN_SECONDS
        elif self._is_ended_by_us and is_disobedient and not self._control.is_closed:
            self._control.close()

    async def bury(self) -> Ending:
        """Find out how the harness of a lost guard ended; kills what is left."""
        gone = await self._zygote.gone(self.guard, BURY_SECONDS) if self._zygote.is_alive else None
        if gone is not None:
            proof, code = gone.proof, gone.orphans.get(self.harness)
        else:
            code = None
            proof = await asyncio.to_thread(process_table.end_all, self.identities)
            proof = proof and len(self.identities) == 2
        self.ending = Ending(code=code, cause="unreachable", asked=self._asked, proof=proof)
        return self.ending

    def close(self) -> None:
        """Close the control socket: a living guard ends its harness."""
        self._control.close()

    def _note(self, line: dict[str, Any]) -> None:
        self._heard_at = time.monotonic()
        if "stamp" in line:
            self.stamp = line["stamp"]
        elif "harness" in line:
            self.guard, self.harness = line["guard"], line["harness"]
            self.identities = [(pid, process_table.start_time(pid)) for pid in (self.guard, self.harness)]
            self.on_identities()
        elif "end" in line:
            end = line["end"]
            asked = self._asked or end["asked"]
            self.ending = Ending(code=end["code"], cause=end["cause"], asked=asked, proof=end["proof"])
