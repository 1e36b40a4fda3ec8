"""Tests that are commands: their rows, and what the settings say of running them. Frozen values; no I/O."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

Command = str | tuple[str, ...]
"""A text for the shell, or a program and its arguments."""


@frozen(kw_only=True)
class Row:
    """One test, wherever it comes from: a table of the settings, a matrix, a file of a glob, a line of a file."""

    name: str
    values: Mapping[str, str] = field(factory=dict)
    dependencies: tuple[str, ...] = ()
    """Names of rows that run before it, in the same worker; when one of them was not good this one is skipped."""
    file: str = ""
    """The file it is, or that it is a line of, relative to the suite's root."""
    line: str = ""


@frozen(kw_only=True)
class SetUp:
    """What tests share: set up before the first one that needs it, torn down behind the last one."""

    name: str
    per: str
    """`run`, `host`, `worker` or `group`."""
    key: str = ""
    """A template over fields of tests: those with one key are one group. Empty for a worker's."""
    command: Command = ()
    ready: Command = ()
    """Carried out again and again until it succeeds."""
    teardown: Command = ()
    timeout_seconds: float | None = None
    ready_timeout_seconds: float = 60.0
    teardown_timeout_seconds: float = 60.0
    may_split: bool = True
    """Whether several workers may set up one group; else all its tests are one batch."""


@frozen(kw_only=True)
class CommandTerms:
    """What a suite of commands says beyond what every suite does."""

    command: Command
    rows: str
    """The file of frozen tests, relative to the suite's root; its name holds the digest of its content."""
    folder: str
    """Folder of all that such suites write, relative to the suite's root."""
    cwd: str = "."
    good_codes: tuple[int, ...] = (0,)
    skip_codes: tuple[int, ...] = (77,)
    kill_after_seconds: float = 5.0
    keep: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    results: tuple[str, ...] = ()
    setups: tuple[SetUp, ...] = ()
    shipped: tuple[str, ...] = ()
    """Files beside the sources that tests need, relative to the suite's root: of globs, and what lines come from."""
    shipped_digest: str = ""
    """Over their contents."""

    defined_by: tuple[str, ...] = ()
    """Files that only say which tests there are, relative to the suite's root: of lines, and of matrices."""

    @property
    def of_run(self) -> tuple[SetUp, ...]:
        """Set-ups that stand once for the whole run, around all others."""
        return tuple(one for one in self.setups if one.per == "run")

    @property
    def of_hosts(self) -> tuple[SetUp, ...]:
        """Those that each host has once, for all its workers."""
        return tuple(one for one in self.setups if one.per == "host")

    @property
    def of_workers(self) -> tuple[SetUp, ...]:
        """Those that each worker has for itself."""
        return tuple(one for one in self.setups if one.per not in ("run", "host"))

    @property
    def stop_seconds(self) -> float:
        """How long a worker may need to end in order: a command from TERM to KILL, then every tear-down."""
        return self.kill_after_seconds + self._teardown_seconds(self.of_workers)

    @property
    def hold_seconds(self) -> float:
        """How long tearing down what the run shares may take."""
        return self.kill_after_seconds + self._teardown_seconds(self.of_run)

    def _teardown_seconds(self, setups: tuple[SetUp, ...]) -> float:
        return sum(one.teardown_timeout_seconds + self.kill_after_seconds for one in setups if one.teardown)
