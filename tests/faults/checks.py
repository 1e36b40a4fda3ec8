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


def assert_never_twice(project: Project, thawed: str = "") -> None:
    """No run of an exclusive test went on after another had begun.

    A run that was thawed may give the one sign of life that was due: of all its processes the kernel wakes at once its
    guard, which kills it, may come 0.3 ms after it (measured by a freezer, 9 times of 20).
    """
    runs = [(run, len(list(signs))) for run, signs in groupby(ticks(project), lambda tick: tick[0])]
    if (thawed, 1) in runs[1:]:
        runs.pop(runs.index((thawed, 1), 1))
    told = [run for run, _ in groupby(run for run, _ in runs)]
    assert len(set(told)) == len(told), f"two at once: {runs}"


def causes(project: Project) -> list[str]:
    """Why workers went that did not end by themselves, in order: those that ended in order and those that did not."""
    gone = [*project.events("WorkerTaken"), *project.events("WorkerLost")]
    return [str(one["cause"]) for one in sorted(gone, key=lambda one: float(str(one["time"])))]
