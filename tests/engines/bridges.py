"""Network bridges on this machine for a Docker daemon, so that it leaves docker0 alone: it and the networks made in it have addresses 10.N.…"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator

from tests.engines.errors import EngineTrouble

LOWEST, HIGHEST = 130, 229


def make_bridge(name: str, first_choice: int) -> int:
    """N of the bridge of that name, made when it is not there; not the machine's N of anything else."""
    found = _number(name)
    if found is not None:
        return found
    taken = {number for _, number in interfaces()}
    span = HIGHEST - LOWEST + 1
    number = next(n for n in (LOWEST + (first_choice + i) % span for i in range(span)) if n not in taken)
    ip("link", "add", name, "type", "bridge")
    ip("addr", "add", f"10.{number}.0.1/20", "dev", name)
    ip("link", "set", name, "up")
    return number


def remove_bridge(name: str) -> None:
    """Remove it and what a daemon made beside it."""
    number = _number(name)
    for other, theirs in list(interfaces()):
        if theirs == number:
            ip("link", "delete", other)


def _number(name: str) -> int | None:
    return next((number for found, number in interfaces() if found == name), None)


def interfaces() -> Iterator[tuple[str, int]]:
    """Names with the second number of their address, where the first is 10."""
    for line in ip("-4", "-o", "addr", "show").splitlines():
        found = re.match(r"\d+: (\S+)\s+inet 10\.(\d+)\.", line)
        if found:
            yield found[1], int(found[2])


def ip(*arguments: str) -> str:
    """Run iproute2's `ip`. Raises EngineTrouble."""
    try:
        done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise EngineTrouble("no `ip` to make a bridge with", "apt-get install iproute2") from None
    if done.returncode:
        raise EngineTrouble(f"ip {' '.join(arguments)}: {done.stderr.strip()}", "root with CAP_NET_ADMIN is needed")
    return done.stdout
