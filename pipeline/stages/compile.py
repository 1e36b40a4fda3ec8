"""`compile`: byte-compile the project's sources with each suite's own interpreter; a broken test file is red at once.

A source that no suite is certain to load (test data of a linter, say) is only mentioned. Must not know frameworks: they are
asked whether a source condemns their suite.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import UntrustworthyRun
from pipeline.graph.catalog import Catalog
from pipeline.graph.task import Action, Handle, TaskSpec
from pipeline.stages.agent import Agent

if TYPE_CHECKING:
    from pipeline.model.suites import Suite

Compiler = Callable[..., tuple[int, Sequence[Any]]]
"""`adapters.compiler.compile_sources`: paths in, how many were compiled and which are broken out."""

DOC = "byte-compile the sources with the project's own Python; a broken test file ends the run here"


def register(catalog: Catalog, agent: Agent, compiler: Compiler) -> Handle:
    """Add the task."""
    arguments = {"agent": agent, "compiler": compiler}
    return catalog.add(
        "compile",
        lambda: TaskSpec(
            name="compile", actions=(Action(compile_all, arguments),), digest=lambda: {**agent.inputs().parts}
        ),
        doc=DOC,
    )


def compile_all(agent: Agent, compiler: Compiler) -> dict[str, Any]:
    """Compile once per interpreter. Raises `UntrustworthyRun` naming each broken source that a suite needs."""
    from pipeline.model.events import Notice  # Here, because a `doit` with nothing to do never compiles.

    paths = [str(path) for path in agent.sources() if path.suffix == ".py"]
    by_python: dict[str, list[Suite]] = {}
    for suite in agent.suites():
        by_python.setdefault(suite.interpreter.path, []).append(suite)
    condemned: dict[str, None] = {}
    for python, suites in by_python.items():
        _, broken = compiler(python, paths, cwd=str(agent.root), processes=agent.workforce.hands)
        for one in broken:
            text = f"{_relative(one.path, agent.root)}:{one.line}: {one.text} ({suites[0].interpreter.source})"
            if any(agent.framework(suite).condemns(suite, Path(one.path)) for suite in suites):
                condemned[text] = None
            else:
                agent.emit(Notice(level="info", text=f"no valid Python, and perhaps not meant to be: {text}"))
    if condemned:
        raise UntrustworthyRun(
            "these test files are broken, so nothing was started:\n  " + "\n  ".join(condemned),
            hint="mend them, or leave them out of the suite's paths",
        )
    return {"sources": len(paths)}


def _relative(path: str, root: Path) -> str:
    return str(Path(path).relative_to(root)) if root in Path(path).parents else path
