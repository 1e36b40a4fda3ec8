"""The docstrings that follow declarations, read from the source when somebody asks for documentation.

Python keeps no docstring of an attribute, so the class's source is parsed; without a source there is no documentation.
"""

from __future__ import annotations

from functools import lru_cache


def docstrings(kind: type) -> dict[str, str]:
    """Return the docstring of each documented attribute of a class, those of its bases included."""
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__[:-1]):
        found |= _own(base)
    return found


@lru_cache(maxsize=256)
def _own(kind: type) -> dict[str, str]:
    import ast
    import inspect
    import textwrap
    from itertools import pairwise

    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(kind)))
    except (OSError, TypeError, SyntaxError):
        return {}
    body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
    found = {}
    for node, after in pairwise(body):
        name = _assigned(node)
        if name and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            found[name] = inspect.cleandoc(str(after.value.value))
    return found


def _assigned(node: object) -> str:
    import ast

    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return node.target.id
    return ""


def summary(thing: object) -> str:
    """Return the first paragraph of a class's or function's docstring on one line."""
    import inspect

    return " ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split())
