"""The agent: makes ports and values from settings, each when a stage first asks for it, and ends them all.

The composition root's half of `stages.agent.Agent`. Adapters are imported where they are made, because most commands
need none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from extensions import plugins
from extensions.caching import Caching
from extensions.deciding import Sources, inputs_of, wishes_of
from extensions.durations import export, known_seconds
from extensions.found_suites import file_of, found_suites
from extensions.joins import Joins
from extensions.on_this_machine import OnThisMachine
from extensions.provisioning import Provisions
from extensions.reporting import Reporting
from extensions.results import Results
from extensions.storing import history_of, open_store
from extensions.workforce import Workforce
from pipeline.errors import FleetError
from pipeline.stages.agent import Framework, Inputs, Wishes

if TYPE_CHECKING:
    from extensions.fleet import Fleet
    from extensions.imaging import Imaging
    from pipeline.adapters.loop import Loop
    from pipeline.model.events import Event
    from pipeline.model.pools import Pool
    from pipeline.model.runs import MergedRun
    from pipeline.model.suites import Interpreter, Suite
    from pipeline.model.swept import Swept
    from pipeline.model.tests import Test
    from pipeline.ports import Clock, Collected, History, Store
    from pipeline.protocol.limits import Limits

T = TypeVar("T")
RARELY = (50_000, 20, 100)
"""When to collect garbage in a run: its many values live to its end, and looking through them finds nothing."""


class LocalAgent(OnThisMachine):
    """This process, which runs `doit`."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.root: Path = fleet.scope.ledger.context.root
        self.reporting = Reporting(fleet, self.reproduce, self.locate)
        self.collected: dict[str, Collected] = {}
        self.ended: dict[str, MergedRun] = {}
        self._loop: Loop | None = None

    @property
    def build(self) -> Path:
        """Where stages leave files for people."""
        folder: Path = self.fleet.project.build_dir.get()
        return folder

    @cached_property
    def state(self) -> Path:
        """Where what must survive is kept; git is told to leave it alone."""
        folder: Path = self.fleet.project.state_dir.get()
        if not (folder / ".gitignore").exists():
            folder.mkdir(parents=True, exist_ok=True)
            (folder / ".gitignore").write_text("*\n", encoding="utf-8")
        return folder

    # Suites and inputs.

    @cached_property
    def _suites(self) -> tuple[Suite, ...]:
        return found_suites(
            self.fleet,
            self._find,
            lambda name: self._framework(name).wanted,
            self.results.failed(),
            lambda recipe: self.provisions.make_one(recipe),
        )

    def suites(self) -> Sequence[Suite]:
        """All suites that this run selects."""
        return self._suites

    def framework(self, suite: Suite) -> Framework:
        """The framework of a suite."""
        return self._framework(suite.framework)

    def _framework(self, name: str) -> Framework:
        framework: Framework = plugins.load("frameworks", name)
        return framework

    def _find(self, python: str, root: Path, wanted: Mapping[str, int]) -> Interpreter:
        from pipeline.adapters.interpreter_cache import InterpreterCache

        cache = InterpreterCache(self.state / "interpreters.json")
        return cache.find(python, root, self.root, self.fleet.environment, wanted)

    @cached_property
    def _watched(self) -> Sources:
        return Sources(self.fleet, self.root, self.state)

    @cached_property
    def _inputs(self) -> Inputs:
        inputs = inputs_of(self.fleet, self.suites(), self._watched.files)
        return self.joins.named(inputs) if self.joins.is_shared else inputs

    @cached_property
    def joins(self) -> Joins:
        """What lets this job join others."""
        return Joins(self, lambda: self._watched.files)

    def inputs(self) -> Inputs:
        """What decides verdicts, as it was when first asked for."""
        return self._inputs

    def changed_inputs(self) -> Sequence[str]:
        """Names of files that differ from what `inputs` saw."""
        return self._watched.changed()

    def sources(self) -> Sequence[Path]:
        """The project's tracked and unignored files."""
        return [self.root / name for name in self._watched.files]

    def source_digests(self) -> Mapping[str, str]:
        """Digest by name of the same files."""
        return self._watched.files

    def up_to_date_counts(self) -> bool:
        """Whether every selected suite lets an earlier green result stand."""
        return all(self.fleet.suites[name].up_to_date.get() for name in self.fleet.suites.chosen())

    # Workers.

    @cached_property
    def workforce(self) -> Workforce:
        """Where workers live, how many and under which limits."""
        return Workforce(
            self.fleet,
            self.suites,
            self.framework,
            lambda: self.inputs().identity,
            self._warn,
            lambda: self._watched.files,
        )

    def slots(self) -> int:
        """How many workers there may be; 0 means in the foreground."""
        return self.workforce.slots

    def pools(self) -> Sequence[Pool]:
        """The pools that the suites use, with their slots and suites."""
        return self.workforce.pools

    def runs_images(self) -> bool:
        """Whether workers run images."""
        return self.workforce.needs_images()

    def launcher(self) -> Any:
        """Where workers live."""
        return self.workforce.launcher

    def limits(self) -> Limits:
        """Spans and budgets of the protocol, from the settings."""
        return self.workforce.limits()

    # Ports.

    @cached_property
    def caching(self) -> Caching:
        """The artifact cache."""
        return Caching(self.fleet.cache, self.root, self._warn)

    @cached_property
    def provisions(self) -> Provisions:
        """What images are made of."""

        def wanted(framework: str) -> Mapping[str, int]:
            return self._framework(framework).wanted

        return Provisions(self.fleet, self.root, self.suites, lambda: self.caching.cache, wanted, self._say)

    @cached_property
    def imaging(self) -> Imaging:
        """What images are made with."""
        from extensions.imaging import Imaging

        return Imaging(self, self._say)

    def _say(self, text: str, level: str = "info") -> None:
        from pipeline.model.events import Notice

        self.emit(Notice(level=level, text=text))

    def _warn(self, text: str) -> None:
        self._say(text, "warning")

    def clock(self) -> Clock:
        """This machine's clocks."""
        from pipeline.adapters.clock import SystemClock

        return SystemClock()

    @cached_property
    def _store(self) -> Store:
        return open_store(self.fleet, self.workforce.share, self.state)

    def store(self) -> Store:
        """The store of all runs."""
        return self._store

    @cached_property
    def _history(self) -> History:
        return history_of(self, self._warn)

    def history(self) -> History:
        """Durations of earlier runs."""
        return self._history

    def branches(self) -> Sequence[str]:
        """This branch, then the main ones."""
        return tuple(dict.fromkeys((self.fleet.project.branch.get(), *self.fleet.project.main_branches.get())))

    def known_seconds(self, tests: Sequence[Test]) -> Mapping[str, float]:
        """Durations by test id, from history and from files that the settings name."""
        names = [suite.name for suite in self.suites()]
        return known_seconds(self.fleet, self.history(), self.branches(), names, tests)

    def export_durations(self, path: Path) -> int:
        """Write durations for pytest-split; of how many tests."""
        return export(path, [suite.name for suite in self.suites()], self.history(), self.branches())

    def store_name(self) -> str:
        """Where the store is, for people."""
        return str(self.fleet.store.url.get())

    def wishes(self) -> Wishes:
        """What the settings say of planning."""
        return wishes_of(self.fleet)

    # Events and results.

    def emit(self, event: Event) -> None:
        """Tell everybody who reads events."""
        self.reporting.emit(event)

    def report_paths(self) -> Sequence[Path]:
        """Files that the reports are made of."""
        return self.reporting.paths

    def reproduce(self, test: str) -> str:
        """A shell line that runs one test by hand."""
        from pipeline.model.tests import Test

        name, _, native = test.partition("::")
        suite = next((suite for suite in self.suites() if suite.name == name), None)
        return self.framework(suite).reproduce(suite, Test(id=test, suite=name, native=native)) if suite else ""

    def locate(self, test: str) -> str:
        """The test's file, relative to the project; empty when it is in no suite."""
        return file_of(test, self.suites(), self.root)

    def finish(self, run: MergedRun) -> None:
        """Write all reports, then the summary."""
        self.reporting.finish(run, self.results.folder(run.run))

    @cached_property
    def results(self) -> Results:
        """Results of earlier runs."""
        return Results(self.fleet, self.state, self.clock())

    def say_again(self) -> None:
        """Print the result that still stands, with its age."""
        self.reporting.say(self.results.told_again(self.inputs().identity))

    def bring_home(self, run: str, worker: str = "") -> Sequence[Path]:
        """Unpack what workers elsewhere have left, all or one; the folders made."""
        from extensions.homecoming import bring_home

        home = self.build / "outputs"
        return self.wait(bring_home(self.store(), self.clock(), run, home, self.emit, worker=worker))

    def learn(self, run: MergedRun) -> None:
        """Remember the outcome and its durations, and prune what is old."""
        self.results.remember(self.inputs().identity, run)
        try:
            self.history().learn(run, branch=self.branches()[0])
            self.wait(self.results.prune(self.store(), run.run))
            self.results.prune_reports(run.run)
            self.results.prune_logs()
        except (FleetError, OSError) as error:
            self._warn(f"the run counts, but not everything could be remembered: {error}")

    def sweep_elsewhere(self, alive: Callable[[], Collection[str]], dead: Collection[str]) -> Swept:
        """Remove what runs have left where workers live, of `dead` ones and of those that are not alive."""
        return self.workforce.sweep(alive, dead)

    # The event loop.

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something on the agent's event loop."""
        if self._loop is None:
            import gc

            from pipeline.adapters.loop import Loop

            gc.set_threshold(*RARELY)
            self._loop = Loop()
        return self._loop.wait(work)

    def clear(self) -> None:
        """Take the live region off the terminal."""
        self.reporting.clear()

    def close(self) -> None:
        """End harnesses, reporters and the loop; safe to call when nothing was ever made."""
        if "imaging" in vars(self):
            self.imaging.close()
        if "provisions" in vars(self):
            self.provisions.close()
        self.caching.close()
        self.reporting.close()
        if self._loop is not None:
            self.workforce.close(self._loop.wait)
            self._loop.close()
