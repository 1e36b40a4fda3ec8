"""How large files and functions may be."""

from __future__ import annotations

import ast
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted([*(ROOT / "pipeline").rglob("*.py"), *(ROOT / "extensions").rglob("*.py")])
LONGEST_FILE, LONGEST_FUNCTION = 350, 50


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Name and length of each function; the docstring does not count."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
            yield node.name, (node.end_lineno or 0) - first.lineno + 1


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_or_function_is_too_long(path: Path) -> None:
    """A file has one reason to change, a function fits on a screen."""
    assert len(path.read_text("utf-8").splitlines()) <= LONGEST_FILE
    assert [(name, length) for name, length in functions(path) if length > LONGEST_FUNCTION] == []


def test_files_and_functions_are_small_as_a_rule() -> None:
    """The median file has at most 120 lines, the median function at most 10."""
    lengths = [length for path in FILES for _, length in functions(path)]

    assert statistics.median(len(path.read_text("utf-8").splitlines()) for path in FILES) <= 120
    assert statistics.median(lengths) <= 10


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_says_what_it_is_for(path: Path) -> None:
    """Each module opens with a docstring."""
    assert ast.get_docstring(ast.parse(path.read_text("utf-8")))
