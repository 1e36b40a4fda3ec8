"""The agent's side of one guard: its stamps, renewals, orders to it, and how its harness ended.

The protocol is `pipeline.harness.guard`'s. When the guard itself is lost, its zygote is asked; when that is lost too,
the process table, where that is this machine's.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, Protocol

from attrs import frozen

from pipeline.adapters import process_table
from pipeline.adapters.waiting import Bell
from pipeline.adapters.zygote import Gone

BURY_SECONDS = 12.0
KILL_MARGIN_SECONDS = 5.0


@frozen(kw_only=True)
class Ending:
    """How a harness ended, and whether nothing of it can live."""

    code: int | None
    cause: str
    asked: bool
    proof: bool


class Wire(Protocol):
    """The agent's end of what leads to a guard."""

    is_closed: bool

    def attach(self) -> None:
        """Listen in the running loop."""

    def send(self, message: dict[str, Any]) -> None:
        """Send one line, if there is anybody."""

    def close(self) -> None:
        """Close this end; a living guard ends its harness."""


class Parent(Protocol):
    """The zygote that has forked a guard."""

    @property
    def is_alive(self) -> bool:
        """Whether it answers, as far as known."""

    def attach(self) -> None:
        """Listen in the running loop."""

    def end_guard(self, guard: int) -> None:
        """Kill a guard."""

    async def gone(self, guard: int, seconds: float) -> Gone | None:
        """How that guard ended; None when it is not known within `seconds`."""


OpenWire = Callable[[Callable[[dict[str, Any]], None], Bell], Wire]
"""Makes a wire from what is called for each line, and the bell that rings then."""


class GuardLink:
    """One guard, from its fork to its end."""

    is_here = True
    """Whether it is a process of this machine."""

    def __init__(self, open_wire: OpenWire, zygote: Parent, silence_seconds: float) -> None:
        self.bell = Bell()
        """Rings when something came from the guard, or when it is gone."""
        self._control = open_wire(self._note, self.bell)
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
        elif not self.is_here:
            code, proof = None, False
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
            found = (self.guard, self.harness)
            self.identities = [(pid, process_table.start_time(pid) if self.is_here else "") for pid in found]
            self.on_identities()
        elif "end" in line:
            end = line["end"]
            asked = self._asked or end["asked"]
            self.ending = Ending(code=end["code"], cause=end["cause"], asked=asked, proof=end["proof"])
