"""The machine's clocks behind `ports.Clock`. Nothing else may read the time."""

from __future__ import annotations

import time

_BOOT_CLOCK: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class SystemClock:
    """Real time; counts suspension: by CLOCK_BOOTTIME on Linux, by CLOCK_MONOTONIC on macOS."""

    def monotonic(self) -> float:
        """Seconds, never backwards."""
        return time.clock_gettime(_BOOT_CLOCK)

    def wall(self) -> float:
        """Seconds since the epoch: for people only."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Return after that span of running time."""
        import asyncio  # Here, because whoever only reads the time needs none of it.

        await asyncio.sleep(seconds)
