"""Make the interpreter look as the user's own command line would: `sys.path[0]`, `sys.argv`; load framework modules.

Knows no framework by name; an invocation is the name of a console script, or `python -m name`.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from typing import Any


def imitate(invocation: str, arguments: list[str]) -> None:
    """Set `sys.argv` and put in front of `sys.path` what that command line puts there."""
    scripts = os.path.dirname(os.path.abspath(sys.executable))
    if " -m " in invocation:
        front, program = os.getcwd(), _main_file(invocation.split()[-1])
    else:
        front, program = scripts, os.path.join(scripts, invocation)
    if not getattr(sys.flags, "safe_path", False) and not sys.flags.isolated:
        sys.path.insert(0, front)
    sys.argv = [program, *arguments]


def load_framework(name: str) -> Any:
    """Import the module that has `serve` and `warm`: a sibling's name, or the path of a file."""
    package = __name__.rpartition(".")[0]
    if os.sep not in name:
        return importlib.import_module(f"{package}.{name}")
    private = f"{package}.outside_{os.path.splitext(os.path.basename(name))[0]}"
    spec = importlib.util.spec_from_file_location(private, name)
    if spec is None or spec.loader is None:
        raise ImportError(f"framework module {name!r} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[private] = module
    spec.loader.exec_module(module)
    return module


def _main_file(name: str) -> str:
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        spec = None
    if spec is None or not spec.origin:
        return name
    if spec.submodule_search_locations:
        return os.path.join(os.path.dirname(spec.origin), "__main__.py")
    return spec.origin
