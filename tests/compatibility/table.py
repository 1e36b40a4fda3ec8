"""Write docs/compatibility.md from the tests of this folder: `python -m tests.compatibility.table`.

Reads their source; runs nothing. A row is the subject of `@row(…)`, its version in requirements.txt, the docstring.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).parent
DOCUMENT = FOLDER.parent.parent / "docs" / "compatibility.md"
HEAD = """\
# What works as in plain pytest

Made by `python -m tests.compatibility.table` from the tests in `tests/compatibility`, each of which runs a small real
project with two workers. Do not edit.

| subject | tested with | claim | test |
|---|---|---|---|
"""


def render() -> str:
    """The whole document."""
    return HEAD + "".join(f"| {' | '.join(cells)} |\n" for cells in rows())


def rows() -> Iterator[tuple[str, str, str, str]]:
    """Subject, version, claim and test of each row, in the tests' order."""
    known = versions()
    for path in sorted(FOLDER.glob("test_*.py")):
        for node in ast.parse(path.read_text("utf-8")).body:
            for subject in subjects(node):
                claim = " ".join((ast.get_docstring(node) or "").split())  # type: ignore[arg-type]
                version = known.get(subject, f"pytest {known['pytest']}")
                yield subject, version, claim, f"`{path.name}::{node.name}`"  # type: ignore[attr-defined]


def subjects(node: ast.stmt) -> Iterator[str]:
    """The arguments of `@row` on a test."""
    for decorator in node.decorator_list if isinstance(node, ast.FunctionDef) else ():
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "row":
            yield ast.literal_eval(decorator.args[0])


def versions() -> dict[str, str]:
    """Version by distribution, as pinned."""
    return dict(re.findall(r"(?m)^([\w.-]+)==(\S+)$", (FOLDER / "requirements.txt").read_text("utf-8")))


if __name__ == "__main__":
    DOCUMENT.write_text(render(), encoding="utf-8")
