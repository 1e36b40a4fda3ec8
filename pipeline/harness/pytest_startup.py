"""Start pytest and remember what it says when there can be no session: usage errors, broken conftests.

Until the command line is understood pytest writes such errors to `sys.stderr`, so that is overheard so long.
"""

from __future__ import annotations

import io
import sys
from typing import Any


class Startup:
    """One call of `pytest.main`, with the reasons of a failure in `notes`."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self._real: Any = None
        self._overheard = io.StringIO()

    def run(self, args: list[str], plugin: Any) -> int:
        """Run pytest to its end."""
        import pytest

        self._real, sys.stderr = sys.stderr, _Tee(sys.stderr, self._overheard)
        try:
            code = pytest.main(args, plugins=[plugin])
        finally:
            self.stop_listening()
        if not plugin.has_walked and self._overheard.getvalue():
            self.notes.insert(0, self._overheard.getvalue())
        return int(code)

    def stop_listening(self) -> None:
        """Give `sys.stderr` back: from here on it is the user's."""
        if isinstance(sys.stderr, _Tee):
            sys.stderr = self._real


class _Tee(io.TextIOBase):
    def __init__(self, real: Any, copy: io.StringIO) -> None:
        self._real = real
        self._copy = copy

    def write(self, text: str) -> int:
        self._copy.write(text)
        return int(self._real.write(text) or 0)

    def flush(self) -> None:
        self._real.flush()

    def fileno(self) -> int:
        return int(self._real.fileno())

    def isatty(self) -> bool:
        return False
