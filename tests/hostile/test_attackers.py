"""Attackers of all kinds beside a hundred innocents: honest verdicts, no neighbour harmed, nothing left."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.project import Project, kill_all, until
from tests.hostile import attacks

LIMIT_SECONDS = 60


class Battle:
    """One run of the whole project."""

    def __init__(self, root: Path) -> None:
        self.project = Project(root)
        for name, text in attacks.files().items():
            self.project.write(name, text)
        self.project.write("conftest.py", "")
        began = time.monotonic()
        running = self.project.start("workers.count=2", "pytest.timeout_seconds=3", "workers.max_losses=100")
        self.code = running.end(4 * LIMIT_SECONDS)
        self.seconds = time.monotonic() - began
        self.output = running.output
        report = json.loads((root / "build" / "reports" / "ctrf.json").read_text())
        self.tests = {each["name"]: each for each in report["results"]["tests"]}
        self.verdicts = {name: str(each.get("rawStatus", each["status"])) for name, each in self.tests.items()}


@pytest.fixture(scope="module")
def battle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Battle]:
    """All claims are about the same run."""
    root = tmp_path_factory.mktemp("hostile") / "project"
    root.mkdir()
    battle = Battle(root)
    yield battle
    kill_all(list(battle.project.processes()))


pytestmark = pytest.mark.timeout(5 * LIMIT_SECONDS)


@pytest.mark.parametrize("name", attacks.ATTACKS)
def test_each_attacker_gets_an_honest_verdict(battle: Battle, name: str) -> None:
    """What it did decides, and nothing else."""
    (verdict,) = (each for test, each in battle.verdicts.items() if test.endswith(f"::test_{name}"))
    assert verdict == attacks.ATTACKS[name][0], battle.output[-3000:]


def test_no_innocent_is_harmed(battle: Battle) -> None:
    """Neighbours in the same file and the same worker pass."""
    innocents = {name: verdict for name, verdict in battle.verdicts.items() if "test_innocent" in name}

    assert len(innocents) == attacks.INNOCENT_FILES * attacks.INNOCENTS_PER_FILE + attacks.BESIDE
    assert {name: verdict for name, verdict in innocents.items() if verdict != "passed"} == {}


def test_the_run_is_red_because_of_tests(battle: Battle) -> None:
    """Every test has a verdict, so it is exit code 1 and no doubt."""
    assert battle.code == 1, battle.output[-3000:]
    assert len(battle.verdicts) == len(attacks.ATTACKS) + 100


def test_nothing_is_left(battle: Battle) -> None:
    """Daemons, children and threads end with the run."""
    until(lambda: not battle.project.processes(), "all processes of the run are gone", 10)


def test_it_does_not_take_long(battle: Battle) -> None:
    """Attackers cost a new harness each, no lease."""
    assert battle.seconds < LIMIT_SECONDS
