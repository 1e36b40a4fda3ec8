"""The pytest side of the harness, as the process side sees it: `warm` once in the zygote, `serve` in each harness.

Runs the user's pytest in one long-lived session. Knows nothing of processes, sockets or runs.
"""

from __future__ import annotations

import traceback
from typing import Any

FAILED_TO_START = 3


def warm(options: dict[str, Any]) -> None:
    """Import what every harness will need and that cannot tell one harness from another."""
    from . import pytest_warm

    pytest_warm.warm(list(options.get("args", ())))


def serve(channel: Any, options: dict[str, Any]) -> int:
    """Answer the supervisor until it says `finish` or is gone; pytest's own exit code."""
    from . import pytest_main
    from .pytest_plugin import FleetPlugin
    from .pytest_startup import Startup

    pytest_main.imitate_main(str(options.get("invocation", "pytest")))
    startup = Startup()
    plugin = FleetPlugin(channel, options, startup)
    try:
        code = startup.run(list(options.get("args", ())), plugin)
    except BaseException:
        startup.notes.append(traceback.format_exc())
        code = FAILED_TO_START
    for note in startup.notes:
        channel.say("log", level="error", text=note)
    channel.say("bye", code=int(code))
    channel.flush()
    return int(code)
