"""A rule of the machine's firewall that drops everything to and from a port of loopback: a cable that was pulled."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.engines import only_outside_pods, require


@contextmanager
def cut(port: int) -> Iterator[None]:
    """While inside, no packet passes; nobody is told."""
    only_outside_pods("only root changes the firewall")
    require(shutil.which("iptables"), "no iptables: apt-get install iptables")
    rules = [["OUTPUT", "-o", "lo", "-p", "tcp", side, str(port), "-j", "DROP"] for side in ("--dport", "--sport")]
    made = []
    try:
        for rule in rules:
            done = subprocess.run(["iptables", "-w", "-I", *rule], capture_output=True, text=True, check=False)
            if done.returncode:
                pytest.skip(f"the firewall cannot be changed: {done.stderr.strip()}; run as root with CAP_NET_ADMIN")
            made.append(rule)
        yield
    finally:
        for rule in made:
            subprocess.run(["iptables", "-w", "-D", *rule], check=True)
