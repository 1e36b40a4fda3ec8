"""What a suite and its interpreter are once all settings have been read: plain values, with no settings machinery left."""

from __future__ import annotations

from attrs import field, frozen

from pipeline.model.commands import CommandTerms


@frozen(kw_only=True)
class Interpreter:
    """A Python of the project's, found and looked at, never changed."""

    path: str
    """The executable as it must be started: inside a virtual environment its link there, not what it points to."""
    version: tuple[int, int, int]
    prefix: str
    """`sys.prefix`: tells environments apart."""
    packages: dict[str, str] = field(factory=dict)
    """Versions of the distributions that were asked about, by normalised name."""
    source: str = ""
    """Which place it was found in, for people: `VIRTUAL_ENV`, `.venv`, `poetry`, …"""


@frozen(kw_only=True)
class Suite:
    """Tests of one framework with its settings, for one interpreter."""

    name: str
    framework: str
    root: str
    """Absolute folder in which the framework runs."""
    interpreter: Interpreter
    paths: tuple[str, ...] = ()
    """What to collect, relative to `root`; empty: the framework's own default."""
    args: tuple[str, ...] = ()
    """Further arguments for the framework, as the user would type them."""
    invocation: str = "pytest"
    """`pytest` or `python -m pytest`: decides `sys.path[0]`."""
    env: dict[str, str] = field(factory=dict, repr=False)
    """Added to the environment of the tests; may hold secrets, hence never shown."""
    keyword: str = ""
    marks: str = ""
    ids: tuple[str, ...] | None = None
    """Only these native ids (from a file of ids, or those that failed last); None: all."""
    timeout_seconds: float | None = None
    slow_after_seconds: float | None = 60.0
    retries: int = 0
    outputs: tuple[str, ...] = ()
    """Patterns, relative to `root`, of what workers elsewhere send home."""
    pool: str = "default"
    """Whose workers run it."""
    xdist: bool = True
    """Whether tests see what pytest-xdist would give them."""
    command: CommandTerms | None = None
    """What a suite of commands says beyond the rest."""


@frozen(kw_only=True)
class HarnessSpec:
    """How to start harnesses of one suite: what a launcher needs to know, and all it may know."""

    suite: str
    python: str
    cwd: str
    env: dict[str, str] = field(factory=dict, repr=False)
    """Added to the agent's own environment."""
    module: str
    """Name of a module in `pipeline/harness`, or the path of an outside package's module file."""
    options: dict[str, object] = field(factory=dict)
    """Plain JSON, handed to the module's `warm` and `serve`; the launcher adds `slot`."""
