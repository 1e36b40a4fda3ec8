"""Keeps our plain-word packages out of the way of the user's: a project may have its own `pipeline` or `extensions`.

While the user's code is imported or called, our entries in `sys.modules` are swapped for theirs. Not for use while
several threads import.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

OURS = ("pipeline", "extensions")


class Userland:
    """The user's side of `sys.modules`."""

    def __init__(self) -> None:
        self._theirs: dict[str, ModuleType] = {}

    @contextmanager
    def entered(self) -> Iterator[None]:
        """While inside, `import pipeline` finds the user's module, or none."""
        ours = _take_out()
        sys.modules.update(self._theirs)
        try:
            yield
        finally:
            self._theirs = _take_out()
            sys.modules.update(ours)


def _take_out() -> dict[str, ModuleType]:
    names = [name for name in sys.modules if name.partition(".")[0] in OURS]
    return {name: sys.modules.pop(name) for name in names}
