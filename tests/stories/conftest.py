"""Fixtures: two real SSH servers that the pages call lab1 and lab2, and a desk for each story."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.project import until
from tests.ssh.house import Lab, lab
from tests.stories.page import Desk


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[Lab]:
    """Nothing of ours may be left there afterwards, but what is kept by digest."""
    with lab(tmp_path / "lab", ("lab1", "lab2")) as made:
        yield made
        until(lambda: not made.left(), made.left, 15)


@pytest.fixture
def desk(tmp_path: Path, hosts: Lab) -> Callable[[str], Desk]:
    """Makes the desk of a story. What is this machine's own about ssh comes from the environment."""
    ours = ("PYTEST_", "DOIT_FLEET_", "COV_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours) and name != "CI"}
    temporary = tmp_path / "tmp"
    world = tmp_path / "world"
    temporary.mkdir()
    world.mkdir()
    environment = {
        **kept,
        "TERM": "dumb",
        "TMPDIR": str(temporary),
        "DOIT_FLEET__SSH__CONFIG": str(hosts.config),
        "DOIT_FLEET__SSH__FOLDER": str(hosts.remote),
        "DOIT_FLEET__SSH__ENV": f'{{ STORY_WORLD = "{world}" }}',
        "STORY_WORLD": str(world),
    }
    return lambda name: Desk.of(name, tmp_path / "desk", environment)
