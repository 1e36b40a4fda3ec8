"""A framework module for tests of processes: executes the code it is sent. Runs in the harness, Python 3.8 syntax."""

from __future__ import annotations

import os
import sys
from typing import Any

WARMED_IN: list[int] = []


def warm(options: dict[str, Any]) -> None:
    """Remember where, so that a harness can tell whether it came from a warm parent."""
    WARMED_IN.append(os.getpid())
    exec(options.get("warm", ""), {})


def serve(channel: Any, options: dict[str, Any]) -> int:
    """Obey `exec` (code) and `finish`; the code sees `channel`, `options`, `os`, `sys` and `say(**fields)`."""

    def say(**fields: Any) -> None:
        channel.say("answer", **fields)

    names = {"channel": channel, "options": options, "os": os, "sys": sys, "say": say, "warmed_in": WARMED_IN}
    channel.say("hello", pid=os.getpid(), python=sys.version.split()[0], framework="serving", facts={})
    channel.flush()
    while True:
        command = channel.hear()
        if command is None:
            return 0
        if command["do"] == "finish":
            channel.say("bye", code=0)
            return 0
        exec(command["code"], names)
