"""What is said of the places of tests: which of it is a part of what a verdict rests on, and which only says what runs where."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from extensions.deciding_places import archive_digests, deciding_places, placing_digest
from extensions.fleet import Fleet

HOSTS = """
[tool.doit-fleet.hosts.lab1]
address = "10.0.0.1"
user = "ci"
[tool.doit-fleet.hosts.lab1.queues.q1]
env.PORT = "1"
[tool.doit-fleet.hosts.lab1.ranges.mac]
kind = "mac"
of = ["52:54:00:00:00:10+16"]
"""
SUITES: Any = [SimpleNamespace(pool="default")]


def build(root: Path, text: str, **environment: str) -> Fleet:
    """Settings read from that text."""
    (root / "pyproject.toml").write_text(text)
    choices = {"launchers": lambda: ("local", "ssh", "docker", "kubernetes")}
    return Fleet.build(root, environment=environment, arguments={}, home=root, choices=choices)


def places(root: Path, launcher: str, text: str, **environment: str) -> set[str]:
    """Digests."""
    return set(deciding_places(build(root, text, **environment), launcher, SUITES))


DECIDING = [
    ("ssh", 'hosts.lab1.python = ["/opt/py/bin/python"]'),
    ("ssh", 'hosts.lab1.env.A = "1"'),
    ("ssh", 'hosts.lab1.before = ["pip install x"]'),
    ("ssh", 'ssh.before = ["pip install x"]'),
    ("ssh", 'ssh.images = ["redis:7"]'),
    ("ssh", 'hosts.lab1.queues.q1.env.B = "2"'),
    ("ssh", "hosts.lab1.ranges.mac.each = 2"),
    ("local", 'local.queues.q1.env.B = "2"'),
    ("local", 'local.ranges.port = { kind = "port", of = ["5900-5999"] }'),
    ("docker", 'images.base = "python:3.13-slim"'),
    ("docker", 'docker.environment.A = "1"'),
    ("docker", 'workers.memory = "1Gi"'),
    ("kubernetes", 'images.base = "python:3.13-slim"'),
    ("kubernetes", 'kubernetes.environment.A = "1"'),
    ("kubernetes", 'pools.default.kubernetes.runtime_class = "gvisor"'),
]
NOT = [
    ("ssh", "hosts.lab1.slots = 4"),
    ("ssh", 'hosts.lab1.after = ["true"]'),
    ("ssh", "ssh.before_timeout_seconds = 9"),
    ("ssh", "hosts.lab1.port = 2222"),
    ("ssh", "ssh.connect_timeout_seconds = 3"),
    ("ssh", 'hosts.lab1.only = "boot"'),
    ("ssh", 'hosts.lab1.labels = ["kvm"]'),
    ("ssh", 'hosts.lab1.queues.q1.only = "boot"'),
    ("local", "local.zygote = false"),
    ("local", "local.cpus = 4"),
    ("docker", 'docker.host = "tcp://elsewhere"'),
    ("kubernetes", "kubernetes.ttl = 60"),
    ("kubernetes", 'kubernetes.cpu_request = "2"'),
]


@pytest.mark.parametrize(
    ("launcher", "said", "decides"), [(*one, True) for one in DECIDING] + [(*one, False) for one in NOT]
)
def test_a_setting_decides_or_does_not(tmp_path: Path, launcher: str, said: str, decides: bool) -> None:
    """What reaches tests counts; sizes, roads, spans and what selects tests do not."""
    text = HOSTS + f"[tool.doit-fleet]\n{said}\n" if launcher != "ssh" else ""
    before, now = (HOSTS, _with(HOSTS, said)) if launcher == "ssh" else ("", text.replace(HOSTS, ""))

    assert (places(tmp_path, launcher, before) != places(tmp_path, launcher, now)) == decides


def _with(text: str, said: str) -> str:
    """The dotted line in front of the tables, or in the table that it belongs to."""
    name, _, value = said.partition(" = ")
    parts = name.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        head = f"[tool.doit-fleet.{'.'.join(parts[:cut])}]\n"
        if head in text:
            return text.replace(head, f"{head}{'.'.join(parts[cut:])} = {value}\n")
    return f"[tool.doit-fleet]\n{said}\n{text}"


def test_equal_places_are_one(tmp_path: Path) -> None:
    """A host more of the same kind is no other basis, and one less neither."""
    one = '[tool.doit-fleet.hosts.a]\nenv.A = "1"\n'
    two = one + '[tool.doit-fleet.hosts.b]\nenv.A = "1"\n'

    assert places(tmp_path, "ssh", one) == places(tmp_path, "ssh", two)


def test_a_secret_counts_by_its_value(tmp_path: Path) -> None:
    """As for suites; only digests leave the agent."""
    text = '[tool.doit-fleet.local.queues.q1]\nenv.A = { secret = "db" }\n'
    found = [places(tmp_path, "local", text, DOIT_FLEET_SECRET_DB=value) for value in ("x", "x", "y")]

    assert found[0] == found[1] != found[2]


@pytest.mark.parametrize(
    ("said", "counts"),
    [('hosts.lab1.only = "boot"', True), ('hosts.lab1.queues.q1.no = "x"', True), ('hosts.lab1.env.A = "1"', False)],
)
def test_what_selects_tests_is_proved_again(tmp_path: Path, said: str, counts: bool) -> None:
    """An old result is not said again before."""
    before = placing_digest(build(tmp_path, HOSTS), "ssh")

    assert (placing_digest(build(tmp_path, _with(HOSTS, said)), "ssh") != before) == counts


def test_archives_count_by_content(tmp_path: Path) -> None:
    """Under the same name."""
    text = '[tool.doit-fleet.ssh.archives]\n"data" = "corpus.tar"\n'
    found = []
    for content in (b"1", b"2"):
        (tmp_path / "corpus.tar").write_bytes(content)
        found.append(archive_digests(build(tmp_path, text), "ssh"))

    assert found[0] != found[1]
    assert [*found[0]] == ["data"]
