"""What the composition root hands to every stage: ports, values and places, made when first asked for.

Stages see only this protocol: no adapter, launcher, framework or settings object by name.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from attrs import field, frozen

from pipeline.ports import Launcher, Warm

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from pipeline.graph.stop import Stop
    from pipeline.logic.placement.grounds import Grounds
    from pipeline.model.events import Event
    from pipeline.model.pools import Pool
    from pipeline.model.runs import Conclusion, MergedRun
    from pipeline.model.suites import HarnessSpec, Suite
    from pipeline.model.swept import Swept
    from pipeline.model.tests import Test
    from pipeline.ports import Clock, Collected, History, Store
    from pipeline.protocol.limits import Limits

T = TypeVar("T")
Command = Callable[[Sequence[str], str], str]
"""Runs a command in a folder to its end; what it printed. Raises `EngineError`."""


@frozen(kw_only=True)
class Inputs:
    """Digests of what decides verdicts, by part, so that a change can be explained."""

    parts: Mapping[str, str | Mapping[str, str]]
    """For instance `sources`, `environment`, `interpreter unit`, `settings`."""
    identity: str
    """16 hexadecimal digits over all parts: names the run."""


class Framework(Protocol):
    """A test framework, seen from the agent. Registered under the entry point group `doit_fleet.frameworks`."""

    name: str
    wanted: Mapping[str, int]
    """Distributions that the interpreter must hold, with their least major version."""

    def harness(self, suite: Suite, *, run: str, slots: int, seed: int) -> HarnessSpec:
        """How to start the suite's harnesses."""

    def reproduce(self, suite: Suite, test: Test) -> str:
        """A shell line that runs one test without anything of ours."""

    def replay(self, suite: Suite, natives: Sequence[str], file: Path) -> Sequence[str]:
        """A command that runs these tests in this order without anything of ours; it may write them to `file`."""

    def foreground(self, suite: Suite) -> Sequence[str]:
        """A command that runs the whole suite in one process, on the terminal."""

    def condemns(self, suite: Suite, path: Path) -> bool:
        """Whether a source that is no valid syntax makes the suite red for certain."""

    def prepare(self, suite: Suite, facts: Mapping[str, Any]) -> None:
        """Do what is done once before a new run; not when an unfinished one goes on."""

    def conclude(self, suite: Suite, facts: Mapping[str, Any], command: Command) -> Conclusion:
        """Do what is done once after all tests, and say whether it makes the run red although each test may be good.

        `facts` are those that the suite's harnesses told when they started.
        """


class WarmLauncher(Launcher, Warm, Protocol):
    """A launcher whose harnesses can be started for collection and kept for the run."""


class Workforce(Protocol):
    """How workers are had, beyond their number."""

    @property
    def in_foreground(self) -> bool:
        """Whether there are none; asks no engine how many there may be."""

    @property
    def placing(self) -> str:
        """Digest of what decides which tests run where; asks no engine."""

    @property
    def hands(self) -> int:
        """How many processes of this machine compile and collect."""

    def has_hosts(self) -> bool:
        """Whether workers live on machines that must be reached first; leaves all settings open."""

    def meeting(
        self, store: Store, clock: Clock, run: str, tell: Callable[[str], None]
    ) -> AbstractAsyncContextManager[None]:
        """While inside, workers that have a volume as their store find out whether it is the agent's."""

    def shared(
        self, left: Collection[str], run: str, stop: Stop, tell: Callable[[str], None]
    ) -> AbstractAsyncContextManager[None]:
        """While inside, what tests of a suite share in this run stands, where some are `left` to do. Entering raises `EngineError`, `Stopped`, `UsageError`."""

    @property
    def roots_elsewhere(self) -> Sequence[str]:
        """Where the project lies on machines of workers, as patterns of paths, beyond what images say."""

    def doubts(self, expected_seconds: float) -> Sequence[str]:
        """What a person should know before a run of that length."""

    def left_at_once(self, run: str, fate: str) -> str:
        """What a second signal leaves behind, and how to remove it, for people."""

    @property
    def grounds(self) -> Grounds | None:
        """What tests are placed by, where not every slot may run every test. Raises `UsageError`."""

    @property
    def spare(self) -> Sequence[Pool]:
        """Of pools that may grow while tests run: slots behind all others."""

    @property
    def room(self) -> Callable[[], Awaitable[Mapping[str, int]]] | None:
        """Asks how many workers more fit now, by pool; None: there will never be more."""


@frozen(kw_only=True)
class Wishes:
    """What the settings say of planning."""

    fail_fast: int = 0
    seed: int = 0
    allow_empty: bool = False
    fail_on_flaky: bool = False
    claim_seconds: float = 0.005
    """What claiming a batch costs on this store: batches are worth it."""
    limits: Mapping[str, int] = field(factory=dict)
    """Resources that more than one test may use at once, but not any number."""


@frozen(kw_only=True)
class Joined:
    """A run that this job and others join."""

    run: str
    jobs: int
    """How many are expected."""
    all_decide: bool
    """Whether every job ends with the run's exit code, and none before the run does; else the last one decides."""
    place: str
    """Where this job is, for people."""
    share: tuple[int, ...] = ()
    """Buckets of the plan that are this job's, and all that it works on; none: it works on whatever waits."""


class Joins(Protocol):
    """What lets this job join others."""

    @property
    def joined(self) -> Joined | None:
        """The run that this job joins; None: it works alone. Raises `UsageError`."""

    @property
    def inputs(self) -> Mapping[str, Mapping[str, str]]:
        """What decides verdicts, by part and name, spelled the same on every machine that has the same."""

    def is_named(self) -> bool:
        """Whether a run to join is named; leaves settings open."""

    @property
    def is_shared(self) -> bool:
        """Whether other machines may reach the store: then runs say what they are about, as all machines spell it."""

    def parting(self, run: str) -> Callable[[str], Coroutine[Any, Any, None]]:
        """What sends home what tests have left on this machine, under the name of a worker."""


@frozen(kw_only=True)
class Check:
    """One thing that `doctor` has looked at."""

    name: str
    good: bool
    text: str
    hint: str = ""


class Readers(Protocol):
    """Everybody who reads events."""

    def check(self) -> None:
        """See, before a run begins, that who is to be told of its end can be. Raises `UsageError`."""

    def expect(self, estimates: Mapping[str, float]) -> None:
        """Tell the console which tests are to come, and how many seconds each may take."""

    def expect_groups(self, tests: Iterable[tuple[str, str, str, str]], done: Collection[str]) -> None:
        """Tell the console which groups there are: tests as (id, suite, native id, group), and ids of those done already."""

    def show(self, run: MergedRun) -> None:
        """Write the summary, and no report."""


class Agent(Protocol):
    """The build machine's process as stages may use it; everything is made when first asked for."""

    root: Path
    collected: dict[str, Collected]
    """What has been collected so far, by suite, so that it is read once."""
    ended: dict[str, MergedRun]
    """Runs that this process has brought to their end, by name, so that they are merged once."""

    @property
    def build(self) -> Path:
        """Where stages leave files for people: `build/<stage>/…`."""

    def suites(self) -> Sequence[Suite]:
        """All suites this run selects, interpreters found. Raises `UsageError`."""

    def framework(self, suite: Suite) -> Framework:
        """The framework of a suite."""

    def inputs(self) -> Inputs:
        """What decides verdicts, as it was when first asked for."""

    @property
    def joins(self) -> Joins:
        """What lets this job join others."""

    @property
    def reporting(self) -> Readers:
        """Everybody who reads events."""

    def changed_inputs(self) -> Sequence[str]:
        """What has changed since: names of files or parts, looked at anew."""

    def sources(self) -> Sequence[Path]:
        """The project's tracked and unignored files."""

    @property
    def workforce(self) -> Workforce:
        """How workers are had."""

    def slots(self) -> int:
        """How many workers the settings and the launcher allow."""

    def pools(self) -> Sequence[Pool]:
        """The pools that the suites use, with their slots and suites."""

    def runs_images(self) -> bool:
        """Whether workers run images; leaves settings open."""

    def launcher(self) -> WarmLauncher:
        """Where workers live."""

    def history(self) -> History:
        """Durations of earlier runs."""

    def branches(self) -> Sequence[str]:
        """Branches whose history counts, best first; the first is the one of this run."""

    def known_seconds(self, tests: Sequence[Test]) -> Mapping[str, float]:
        """Durations by test id, from history and from files that the settings name."""

    def store(self) -> Store:
        """The store of all runs."""

    def clock(self) -> Clock:
        """This machine's clocks."""

    def wishes(self) -> Wishes:
        """What the settings say of planning."""

    def limits(self) -> Limits:
        """Spans and budgets of the protocol."""

    def up_to_date_counts(self) -> bool:
        """Whether every selected suite lets an earlier green result stand."""

    def remarks(self) -> Sequence[Mapping[str, Any]]:
        """`[{suite, place, said}]`: what the suites' matrices say that matches nothing and is no error."""

    def store_name(self) -> str:
        """Where the store is, for people."""

    def emit(self, event: Event) -> None:
        """Tell everybody who reads events."""

    def report_paths(self) -> Sequence[Path]:
        """Files that the reports are made of."""

    def finish(self, run: MergedRun) -> None:
        """Write all reports, then the summary."""

    def say_again(self) -> None:
        """Print the result that still stands, with its age."""

    def bring_home(self, run: str, worker: str = "") -> Sequence[Path]:
        """Unpack what workers elsewhere have left, all or one, to `build/outputs/<worker>/<suite>`; the folders made."""

    def learn(self, run: MergedRun) -> None:
        """Remember the outcome and its durations, and prune what is old."""

    def command(self, arguments: Sequence[str], cwd: str) -> str:
        """Run a command to its end; what it printed. Raises `EngineError` with the end of its output."""

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something on the agent's event loop. Raises `Stopped` when a signal ends it."""

    def foreground(self, arguments: Sequence[str], suite: Suite) -> int:
        """Run a command of a suite on the terminal, in its folder and environment; its exit status."""

    def sweep_scratch(self) -> Sequence[str]:
        """End processes and remove files that dead agents have left; what was removed."""

    def sweep_elsewhere(self, alive: Callable[[], Collection[str]], dead: Collection[str]) -> Swept:
        """Remove what runs have left where workers live, of `dead` ones and of those that are not alive."""
