"""A reporter that plug-ins may write to but that no hook reaches: reporting each test twice would cost most.

It stays registered under pytest's own name, `terminalreporter`.
"""

from __future__ import annotations

from typing import Any


class QuietReporter:
    """Hands every attribute of the real reporter on, except its hooks."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        if name.startswith("pytest_"):
            raise AttributeError(name)
        return getattr(self.__dict__["_real"], name)


def silence(config: Any) -> None:
    """Replace the terminal reporter by a quiet one."""
    manager = config.pluginmanager
    real = manager.getplugin("terminalreporter")
    if real is not None and not isinstance(real, QuietReporter):
        manager.unregister(real)
        manager.register(QuietReporter(real), "terminalreporter")
