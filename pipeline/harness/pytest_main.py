"""Make `__main__` what it is under the user's own command: `multiprocessing` children import it again by name or path.

Without this they would import the harness's bootstrap.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import types
from typing import Any

_KEPT: list[Any] = []


def imitate_main(invocation: str) -> None:
    """Replace `sys.modules["__main__"]` by an empty module that says where pytest's own entry is."""
    _KEPT.append(sys.modules.get("__main__"))  # A module that is collected clears its globals, which still run.
    main = types.ModuleType("__main__")
    spec = importlib.util.find_spec("pytest.__main__") if invocation.startswith("python") else None
    path = os.path.join(os.path.dirname(os.path.abspath(sys.executable)), "pytest")
    main.__spec__ = spec
    if spec is not None:
        main.__file__ = spec.origin
        main.__package__ = "pytest"
    elif os.path.exists(path):
        main.__file__ = path
    sys.modules["__main__"] = main
