"""What lets this repository's own tests run in pods: engines at 127.0.0.1, and their folder at another place."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines import places
from tests.engines.pod_workers import IS_THERE, PASSES_ON
from tests.engines.processes import wait_for
from tests.engines.records import Record, recall, remember

MACHINE = "127.0.0.2"
"""Another address of this machine, as the bridge's is for pods."""


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a server on the other address that says again what it hears."""
    with socket.create_server((MACHINE, 0)) as server:

        def serve() -> None:
            while True:
                try:
                    peer, _ = server.accept()
                except OSError:
                    return
                with peer:
                    while heard := peer.recv(1 << 16):
                        peer.sendall(heard)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield int(server.getsockname()[1])
        server.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def test_connections_are_passed_on_both_ways(echo: int) -> None:
    """One after the other, whole, and closed when either side closes; its probe says when it is there."""
    given = {**os.environ, "MACHINE": MACHINE, "PORTS": str(echo)}
    process = subprocess.Popen([sys.executable, "-c", PASSES_ON], env=given)
    try:
        probe = [sys.executable, "-c", IS_THERE]
        assert wait_for(lambda: subprocess.run(probe, env=given, capture_output=True, check=False).returncode == 0, 20)
        for number in range(3):
            said = bytes([number]) * (1 << 20)
            with socket.create_connection(("127.0.0.1", echo), 10) as client:
                threading.Thread(target=client.sendall, args=(said,), daemon=True).start()
                heard = b""
                while len(heard) < len(said):
                    part = client.recv(1 << 16)
                    assert part
                    heard += part
                assert heard == said
    finally:
        process.kill()
        process.wait()


def test_what_is_remembered_holds_where_the_folder_is_mounted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of files below the engines' folder move with it; others, and what only begins alike, stay."""
    here, there = tmp_path / "here", tmp_path / "there"
    (here / "registry").mkdir(parents=True)
    monkeypatch.setenv(places.NAMED_BY, str(here))
    facts = {"ca": f"{here}/registry/ca.pem", "like": f"{here}-not/ca.pem", "url": "http://127.0.0.1:1", "port": 1}
    remember(here / "registry", Record(facts=facts))
    there.symlink_to(here)
    monkeypatch.setenv(places.NAMED_BY, str(there))

    found = recall(there / "registry")

    assert found is not None
    assert found.facts == {**facts, "ca": f"{there}/registry/ca.pem"}
