"""Test ids taken apart for reports: suite, native id, and pytest's own class name and name.

The rules for names are those of pytest's junitxml (`mangle_test_address`), so that CI servers keep their history.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from pipeline.model.runs import Outcome

_OCCURRENCE: Final = re.compile(r" #\d+\Z")


def suite_of(test: str) -> str:
    """The suite of a test id."""
    return test.partition("::")[0]


class Natives:
    """Native ids of a run's tests: ` #2` is cut off only where the id without it is a test of the run too."""

    def __init__(self, outcomes: Sequence[Outcome]) -> None:
        doubtful = {
            test: _OCCURRENCE.sub("", test)
            for outcome in outcomes
            if " #" in (test := outcome.result.test) and _OCCURRENCE.search(test)
        }
        first = set(doubtful.values())
        if first:
            first.intersection_update(outcome.result.test for outcome in outcomes)
        self.repeated = {test for test, base in doubtful.items() if base in first}

    def __call__(self, test: str) -> str:
        """The framework's own id."""
        native = test.partition("::")[2]
        return _OCCURRENCE.sub("", native) if test in self.repeated else native


def pytest_names(native: str) -> tuple[str, str]:
    """(classname, name) as in pytest's junit.xml: `a/test_b.py::C::t[x]` is `a.test_b.C` and `t[x]`."""
    path, separator, tail = native.partition("::")
    dotted = path.replace("/", ".").removesuffix(".py")
    if not separator:
        return "", dotted
    head, bracket, parameters = tail.partition("[")
    classes, _, name = head.rpartition("::")
    classname = f"{dotted}.{classes.replace('::', '.')}" if classes else dotted
    return classname, f"{name}{bracket}{parameters}"
