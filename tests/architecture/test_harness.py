"""What enters the user's process: standard library only, old syntax, no names of ours."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

HARNESS = Path(__file__).parents[2] / "pipeline" / "harness"
FILES = sorted(HARNESS.glob("*.py"))
OF_THE_PROJECT = {"pytest", "_pytest", "pluggy", "coverage", "pytest_cov", "xdist"}
"""What a framework's module may import because the project itself has it."""


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_parses_as_python_3_8(path: Path) -> None:
    """No newer syntax than that of the oldest supported interpreter."""
    ast.parse(path.read_text("utf-8"), feature_version=(3, 8))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_imports_the_standard_library_and_the_project_only(path: Path) -> None:
    """Nothing is needed in the project's environment that the project does not have itself."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module or ""]
        for name in names:
            assert name.partition(".")[0] in sys.stdlib_module_names | OF_THE_PROJECT
