"""What this project's verdicts rest on, for suites of commands: digests of everything but which tests there are."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from extensions.deciding import deciding_settings, declared_environment, digest
from extensions.deciding_places import archive_digests, deciding_places

if TYPE_CHECKING:
    from extensions.agent import LocalAgent
    from pipeline.logic.bases import Basis
    from pipeline.model.suites import Suite

OF_TESTS = ("paths", "keyword", "marks", "ids")
"""What of a suite only says which tests there are."""
OF_ROWS = ("rows", "shipped", "shipped_digest", "defined_by", "folder")
"""The same of commands; `rows` are compared one by one."""


def basis_of(agent: LocalAgent) -> Basis | None:
    """None where nothing may be taken over: no suite of commands, or a run that others join."""
    from pipeline.logic.bases import Basis

    suites = [suite for suite in agent.suites() if suite.command is not None and _may_stand(agent, suite)]
    if not suites or agent.joins.joined is not None:
        return None
    files = dict(agent.source_digests())
    settings = {name: files.pop(name) for name in ("pyproject.toml", "fleet.toml") if name in files}
    for suite in suites:
        for name in _defining(agent.root, suite):
            files.pop(name, None)
    return Basis(
        shared={
            "sources": files,
            "pyproject.toml": _without_ours(agent.root) if "pyproject.toml" in settings else "",
            "environment": declared_environment(agent.fleet),
            "archives": archive_digests(agent.fleet, agent.workforce.launcher_name),
            "doit-fleet": version("doit-fleet"),
        },
        suites={suite.name: _of_suite(suite) for suite in suites},
        rows={key: value for suite in suites for key, value in _rows(agent, suite)},
        places=deciding_places(agent.fleet, agent.workforce.launcher_name, suites),
        wall=agent.clock().wall(),
    )


def _may_stand(agent: LocalAgent, suite: Suite) -> bool:
    known = agent.fleet.suites.known()
    name = suite.name if suite.name in known else suite.name.rpartition("-py")[0]
    return bool(agent.fleet.suites[name].up_to_date.get())


def _of_suite(suite: Suite) -> Mapping[str, str]:
    from pipeline.adapters.inputs import interpreter_digest

    told: dict[str, Any] = {name: value for name, value in deciding_settings(suite).items() if name not in OF_TESTS}
    command = {name: value for name, value in told["command"].items() if name not in OF_ROWS}
    return {
        "settings": digest({**told, "command": command}),
        "interpreter": interpreter_digest(suite.interpreter.path),
    }


def _defining(root: Path, suite: Suite) -> Sequence[str]:
    """Files that say which tests there are, as sources are named. A row that is a file has its content in its digest."""
    assert suite.command is not None
    folder = Path(suite.root)
    paths = [folder / name for name in (*suite.command.shipped, *suite.command.defined_by)]
    return [path.relative_to(root).as_posix() for path in paths if root in path.parents]


def _rows(agent: LocalAgent, suite: Suite) -> Sequence[tuple[str, str]]:
    from extensions.demanding import demands_of
    from pipeline.adapters.inputs import file_digests
    from pipeline.logic.bases import row_key
    from pipeline.model.tests import Test

    assert suite.command is not None
    root = Path(suite.root)
    frozen = json.loads((root / suite.command.rows).read_bytes())
    own = [row[1] for row in frozen["rows"] if row[1] and not row[2]]
    contents = dict(file_digests(root, own))
    tests = [
        Test(id=f"{suite.name}::{name}", suite=suite.name, native=name, occurrence=occurrence)
        for name, occurrence, *_ in frozen["tests"]
    ]
    places = [(each.host, each.queue, sorted(each.labels)) for each in demands_of(agent.fleet, [suite], tests)]
    found = []
    for test, told, row, place in zip(tests, frozen["tests"], frozen["rows"], places, strict=True):
        content = "" if row[2] else contents.get(row[1], "")
        found.append((row_key(test), digest([told[3], row, content, place])[:16]))
    return found


def _without_ours(root: Path) -> str:
    """The rest of that file may be read by tests."""
    try:
        told = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    except (OSError, ValueError):
        return "unreadable"
    tools = {name: value for name, value in told.get("tool", {}).items() if name not in ("doit-fleet", "doit")}
    return digest({**told, "tool": tools})
