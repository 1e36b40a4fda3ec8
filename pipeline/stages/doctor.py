"""`doctor`: is everything there that a run needs, and with which rights? Prints nothing but its answer.

Must not know what is checked: the composition root asks each adapter, framework and launcher in use.
"""

from __future__ import annotations

import json as codec
from collections.abc import Callable, Iterable

from attrs import asdict

from pipeline.errors import UsageError
from pipeline.graph.catalog import Catalog
from pipeline.graph.task import Action, Handle, Param, TaskSpec
from pipeline.stages.agent import Check

DOC = "say whether everything is there that a run needs"
JSON = Param(name="json", default=False, type=bool, help="print one JSON document")


def register(catalog: Catalog, checks: Callable[[], Iterable[Check]]) -> Handle:
    """Add the task."""
    action = Action(doctor, {"checks": checks})
    return catalog.add(
        "doctor", lambda: TaskSpec(name="doctor", actions=(action,), params=(JSON,), always=True), doc=DOC
    )


def doctor(checks: Callable[[], Iterable[Check]], json: bool) -> None:
    """Print every check. Raises `UsageError` when one is bad."""
    done = list(checks())
    print(as_json(done) if json else as_text(done))
    bad = [check.name for check in done if not check.good]
    if bad:
        raise UsageError(f"not fit to run: {', '.join(bad)}")


def as_text(checks: Iterable[Check]) -> str:
    """A line for each check, the way out below a bad one."""
    lines = []
    for check in checks:
        lines.append(f"{'ok  ' if check.good else 'BAD '} {check.name}: {check.text}")
        if check.hint and not check.good:
            lines.append(f"       {check.hint}")
    return "\n".join(lines)


def as_json(checks: Iterable[Check]) -> str:
    """`{"checks": [{name, good, text, hint}…]}`."""
    return codec.dumps({"checks": [asdict(check) for check in checks]}, indent=2)
