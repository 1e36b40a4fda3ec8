"""Who may import whom."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PIPELINE = ROOT / "pipeline"

ONLY_IN_GRAPH = {"doit"}
ONLY_IN_ADAPTERS = {"subprocess", "socket", "sqlite3", "multiprocessing"}


def imported(path: Path) -> Iterator[str]:
    """Top-level names of the modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.partition(".")[0]


def sources(*, without: str) -> list[Path]:
    """The pipeline's sources outside one folder; the harness stands apart."""
    return [path for path in PIPELINE.rglob("*.py") if path.relative_to(PIPELINE).parts[0] not in (without, "harness")]


def test_import_contracts_are_kept() -> None:
    """import-linter finds no broken contract."""
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", sources(without="graph"), ids=lambda path: str(path.relative_to(PIPELINE)))
def test_only_the_graph_names_doit(path: Path) -> None:
    """No module outside pipeline.graph imports doit."""
    assert not ONLY_IN_GRAPH & set(imported(path))


@pytest.mark.parametrize("path", sources(without="adapters"), ids=lambda path: str(path.relative_to(PIPELINE)))
def test_only_adapters_reach_outside(path: Path) -> None:
    """No module outside pipeline.adapters imports what starts processes, opens sockets or databases."""
    if path == PIPELINE / "graph" / "state.py":
        pytest.skip("doit's own state is a SQLite database, and only the graph may know doit")

    assert not ONLY_IN_ADAPTERS & set(imported(path))


@pytest.mark.parametrize("path", sorted((PIPELINE / "stages").glob("*.py")), ids=lambda path: path.name)
def test_stages_know_neither_adapters_nor_launchers_nor_frameworks_nor_reports(path: Path) -> None:
    """Stages receive ports, handles and values."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            level = ".".join(node.module.split(".")[:2])
            assert level not in {"pipeline.adapters", "pipeline.launchers", "pipeline.frameworks", "pipeline.report"}
