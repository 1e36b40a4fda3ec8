"""How a suite's harnesses are started: which interpreter, where, with which environment and framework module.

Says nothing about where they run; a launcher decides that.
"""

from __future__ import annotations

from typing import Any

from attrs import field, frozen


@frozen(kw_only=True)
class HarnessSpec:
    """Equal specs share one warm parent process."""

    python: str
    """The project's own interpreter."""
    cwd: str
    env: dict[str, str]
    """The whole environment, not an addition."""
    framework: str
    """A module of the harness folder by name (`pytest_session`), or the path of a file of an outside package. It has
    `warm(options) -> None` and `serve(channel, options) -> int`."""
    options: dict[str, Any] = field(factory=dict)
    """Plain JSON for the framework module."""
    argv: tuple[str, ...] = ()
    """The user's own command line, `("pytest", …)` or `("-m", "pytest", …)`: decides `sys.argv` and `sys.path[0]`."""
    slot_env: dict[str, str] = field(factory=dict)
    """Added to the environment of each harness; `{slot}` in a value is replaced by the slot's number."""
