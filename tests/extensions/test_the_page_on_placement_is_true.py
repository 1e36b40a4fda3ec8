"""The settings that docs/placement.md begins with are settings, and say what the page says of them."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

from extensions.fleet import Fleet
from extensions.placing import grounds_of
from extensions.plugins import GROUPS, names

PAGE = Path(__file__).parents[2] / "docs" / "placement.md"


def test_its_example_is_divided_as_it_says(tmp_path: Path) -> None:
    """Three queues on two hosts, 32 addresses for each of the first host's."""
    found = re.search(r"```toml\n(.*?)```", PAGE.read_text("utf-8"), re.S)
    assert found is not None
    (tmp_path / "pyproject.toml").write_text(found[1])
    choices = {group: partial(names, group) for group in GROUPS}
    fleet = Fleet.build(tmp_path, environment={}, arguments={}, home=tmp_path / "home", choices=choices)
    fleet.check()

    grounds = grounds_of(fleet, tuple, "ssh", 3)

    assert grounds is not None
    told = {str(seat.place): [share.written() for share in seat.ranges] for seat in grounds.seats}
    assert told == {
        "lab1/migration": ["52:54:00:00:01:00-52:54:00:00:01:1f"],
        "lab1/rest": ["52:54:00:00:01:20-52:54:00:00:01:3f"],
        "lab2/q1": [],
    }
    assert [host.cpus for host in grounds.hosts] == [16.0, None]
