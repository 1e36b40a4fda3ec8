"""An agent to be killed: starts a harness that says what it is told to, hears some of it, and tells where it is."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from tests.processes.house import House, ask, do, guard_of, hear, pid_of


async def main(scratch: Path, code: str, heard: int, lease_seconds: float) -> None:
    """Print one JSON line, then wait to be killed."""
    here = House(scratch, lease_seconds=lease_seconds)
    harness = await here.harness()
    await ask(harness, "say(ready=1)")
    await do(harness, code)
    for _ in range(heard):
        await hear(harness)
    told = {
        "identity": here.launcher.identity(0),
        "mark": here.mark,
        "guard": guard_of(harness),
        "harness": pid_of(harness),
        "zygote": here.launcher._all_zygotes[0].pid,
    }
    print(json.dumps(told), flush=True)
    while True:
        await asyncio.sleep(0.1)
        harness.renew(harness.stamp() or 0.0, lease_seconds)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4])))
