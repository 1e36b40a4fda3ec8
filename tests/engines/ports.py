"""Ports on loopback: the usual one of an engine, or another when something foreign has it."""

from __future__ import annotations

import os
import socket

LOOPBACK = "127.0.0.1"


def choose(engine: str, usual: int) -> int:
    """The port to listen on: of the variable `DOIT_FLEET_<ENGINE>_PORT`, else the usual, else any that is free."""
    named = os.environ.get(f"DOIT_FLEET_{engine.upper().replace('-', '_')}_PORT")
    wanted = int(named) if named else usual
    return wanted if wanted and is_free(wanted) else any_free()


def is_free(port: int) -> bool:
    """Whether one could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def any_free() -> int:
    """A port that is free now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
