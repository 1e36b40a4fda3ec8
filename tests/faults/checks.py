"""What must hold after any fault, for every launcher."""

from __future__ import annotations

import json
from collections import Counter
from itertools import groupby

from tests.faults.project import Project


def assert_sound(project: Project, tests: int, *, repeats: int) -> None:
    """One good verdict for every test, and no more repeats than promised."""
    assert Counter(project.verdicts().values()) == {"passed": tests}
    begun = Counter(project.traces())
    assert len(begun) == tests
    assert sum(begun.values()) - tests <= repeats, {name: times for name, times in begun.items() if times > 1}


def raw_verdicts(project: Project) -> dict[str, tuple[str, str]]:
    """Verdict and message by node id, as the report for machines tells them."""
    told = json.loads((project.root / "build" / "reports" / "ctrf.json").read_text())
    tests = told["results"]["tests"]
    return {test["name"]: (test.get("rawStatus") or test["status"], str(test.get("message", ""))) for test in tests}


def ticks(project: Project) -> list[list[str]]:
    """(run of a test, its pid, its host) for each sign of life of exclusive tests."""
    path = project.shared / "ticks"
    return [line.split() for line in path.read_text().splitlines()] if path.exists() else []


def assert_never_twice(project: Project) -> None:
    """No run of an exclusive test went on after another had begun."""
    runs = [(run, len(list(signs))) for run, signs in groupby(ticks(project), lambda tick: tick[0])]
    assert len({run for run, _ in runs}) == len(runs), f"two at once: {runs}"


def causes(project: Project) -> list[str]:
    """Why workers went that did not end by themselves, in order: those that ended in order and those that did not."""
    gone = [*project.events("WorkerTaken"), *project.events("WorkerLost")]
    return [str(one["cause"]) for one in sorted(gone, key=lambda one: float(str(one["time"])))]
