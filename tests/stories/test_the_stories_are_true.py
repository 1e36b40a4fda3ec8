"""What docs/from_ancestors.md says is what happens, on real SSH servers; and nothing is left, neither processes nor files."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.stories.page import HERE, Desk, files_of, steps_of

pytestmark = pytest.mark.timeout(300)

STORIES = ("sieve", "odf", "kvm")


def carry_out(desk: Desk, name: str) -> None:
    """Type all commands of a story."""
    steps = list(steps_of(name))
    assert len(steps) > 5
    for step in steps:
        desk.type(step).check()


def world(desk: Desk) -> Path:
    """Where clusters, VMs and guests are."""
    return Path(desk.environment["STORY_WORLD"])


def events(desk: Desk, kind: str) -> list[dict[str, object]]:
    """Of the latest run."""
    lines = (desk.root / "build/reports/events.jsonl").read_text().splitlines()
    return [one for line in lines if (one := json.loads(line))["event"] == kind]


@pytest.mark.parametrize("name", STORIES)
def test_the_page_shows_the_files(name: str) -> None:
    """Letter by letter; each project's settings are among them."""
    shown = files_of(name)

    assert "fleet.toml" in shown
    assert {file: (HERE / name / file).read_text().rstrip() for file in shown} == {
        file: text.rstrip() for file, text in shown.items()
    }


def test_sieve(desk: Callable[[str], Desk]) -> None:
    """All three hosts had a part, each cluster was deleted, the one summary holds each plan once."""
    mine = desk("sieve")

    carry_out(mine, "sieve")

    assert list(world(mine).iterdir()) == []
    first, second = sorted((mine.root / ".fleet/reports").iterdir(), key=lambda folder: folder.name)
    told = [json.loads(line) for line in (first / "events.jsonl").read_text().splitlines()]
    places = {str(one["place"]).split()[0] for one in told if one["event"] == "WorkerStarted"}
    assert len(places) == 3
    assert {"lab1", "lab2"} < places
    for folder in (first, second):
        (summary,) = folder.glob("results-*.json")
        merged = json.loads(summary.read_text())
        assert Counter(len(plans) for plans in merged["results"].values()) == {3: 4}
        assert merged["duplicates"] == []


def test_odf(desk: Callable[[str], Desk]) -> None:
    """Each measurement ran once but those that Ctrl-C met; VMs of finished groups were not made again; none is left."""
    mine = desk("odf")

    carry_out(mine, "odf")

    left = {path.name for path in world(mine).iterdir()}
    assert left == {"set-ups.log", "runs.log"}
    runs = Counter((world(mine) / "runs.log").read_text().splitlines())
    groups = (world(mine) / "set-ups.log").read_text().splitlines()
    assert len(runs) == 9
    assert runs["ec-4-2 seqwrite 1M"] == 2, "once for each size, and the last command left them out"
    assert len(groups) >= 6
    notified = json.loads((mine.root / "build/notified.json").read_text())
    assert (notified["outcome"], notified["counts"]) == ("passed", {"passed": notified["tests"]})


def test_kvm(desk: Callable[[str], Desk]) -> None:
    """Guests ran where they may; no address and no display was anybody's twice at once, and each was its host's."""
    mine = desk("kvm")

    carry_out(mine, "kvm")

    lines = [line.split() for line in (world(mine) / "guests.log").read_text().splitlines()]
    assert {path.name for path in world(mine).iterdir()} == {"guests.log"}
    assert len(lines) == 6 + 16
    hosts = {(name.split(".")[0], place.split("/")[0]) for name, place, _, _ in lines}
    assert hosts == {("RHEL", "lab1"), ("Windows", "lab2")}
    addresses = {(place, mac) for _, place, mac, _ in lines}
    assert len({mac for _, mac in addresses}) == len(addresses)
    mail = json.loads((mine.root / "build/mail.json").read_text())
    assert (mail["profile"], mail["exit_code"], mail["counts"]) == ("nightly", 0, {"passed": 16})
