"""The framework `lines`, seen from the agent: each line of a `*.lines` file is an expression that should be true."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.model.runs import Conclusion
from pipeline.model.suites import HarnessSpec, Suite
from pipeline.model.tests import Test

name = "lines"
wanted: Mapping[str, int] = {}

SERVING = str(Path(__file__).with_name("lines_serving.py"))


def harness(suite: Suite, *, run: str, slots: int, seed: int) -> HarnessSpec:
    """Start our module in the project's interpreter."""
    options: dict[str, object] = {"paths": list(suite.paths), "ids": suite.ids and list(suite.ids)}
    return HarnessSpec(
        suite=suite.name,
        python=suite.interpreter.path,
        cwd=suite.root,
        env=suite.env,
        module=SERVING,
        options=options,
    )


def reproduce(suite: Suite, test: Test) -> str:
    """Evaluate the line by hand."""
    file, _, number = test.native.partition("::")
    return shlex.join([suite.interpreter.path, "-c", f'print(eval(open("{file}").readlines()[{int(number) - 1}]))'])


def replay(suite: Suite, natives: Sequence[str], file: Path) -> Sequence[str]:
    """Evaluate lines in order."""
    return [suite.interpreter.path, SERVING, *natives]


def foreground(suite: Suite) -> Sequence[str]:
    """Evaluate all lines on the terminal."""
    return [suite.interpreter.path, SERVING, *suite.paths]


def condemns(suite: Suite, path: Path) -> bool:
    """No Python source is a test of ours."""
    return False


def prepare(suite: Suite, facts: Mapping[str, Any]) -> None:
    """Nothing is to be done before a new run."""


def conclude(suite: Suite, facts: Mapping[str, Any], command: Callable[[Sequence[str], str], str]) -> Conclusion:
    """Nothing is left to do after the last test."""
    return Conclusion()
