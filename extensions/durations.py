"""How long tests took so far: own history first, then files of other tools that the settings name.

Reads settings and adapters; how unknown tests are estimated is not decided here.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.model.tests import Test

if TYPE_CHECKING:
    from extensions.fleet import Fleet
    from pipeline.ports import History


def known_seconds(
    fleet: Fleet, history: History, branches: Sequence[str], suites: Sequence[str], tests: Sequence[Test]
) -> dict[str, float]:
    """Seconds by test id. Raises `UsageError` for a file that the settings name and that cannot be read."""
    known: dict[str, float] = {}
    for name in reversed(fleet.history.imports.get()):
        known.update(_imported(Path(fleet.scope.ledger.context.root) / name, tests))
    for suite in suites:
        known.update(history.estimates(suite, branches))
    return known


def _imported(path: Path, tests: Sequence[Test]) -> dict[str, float]:
    from pipeline.adapters.duration_files import by_test, read_junit, read_test_durations
    from pipeline.report.addresses import pytest_names

    if path.suffix == ".xml":
        return by_test(tests, read_junit(path), pytest_names)
    seconds = read_test_durations(path)
    return {test.id: seconds[test.native] for test in tests if test.native in seconds}


def export(path: Path, suites: Sequence[str], history: History, branches: Sequence[str]) -> int:
    """Write what history knows as pytest-split's `.test_durations`; how many tests that are."""
    from pipeline.adapters.duration_files import write_test_durations

    known = {test.partition("::")[2]: s for suite in suites for test, s in history.estimates(suite, branches).items()}
    write_test_durations(path, known)
    return len(known)
