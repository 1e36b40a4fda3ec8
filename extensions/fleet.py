"""The root of all settings: what dodo.py's `configure(fleet)` receives and stages are given values from.

Building it reads the layers; it starts nothing and looks for no tests. Tasks are hung on by the composition root.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from extensions.artifacts import Artifacts
from extensions.cache import Cache
from extensions.checks import find_problems
from extensions.command import Command
from extensions.console import Console
from extensions.dependencies import Dependencies
from extensions.docker import Docker
from extensions.history import History
from extensions.hooks import Hooks
from extensions.hosts import Hosts
from extensions.images import Images
from extensions.join import Join
from extensions.kubernetes import Kubernetes
from extensions.local import Local
from extensions.pools import Pools
from extensions.project import Project
from extensions.pytest import Pytest
from extensions.registry import Registry
from extensions.reports import Reports
from extensions.run import Run
from extensions.selection import ExcludeAll, SelectAll
from extensions.ssh import Ssh
from extensions.store import Store
from extensions.suites import Suites
from extensions.workers import Workers
from pipeline.errors import SettingsError
from pipeline.settings.declaration import Member, Nested, nested
from pipeline.settings.extension import Extension, Scope
from pipeline.settings.kinds import Context
from pipeline.settings.layering import Surroundings, enter_layers
from pipeline.settings.ledger import Ledger, Problem
from pipeline.settings.profiles import Profiles
from pipeline.settings.provenance import Layer
from pipeline.settings.texts import is_ours


class Fleet(Extension):
    """All settings of a project."""

    project = nested(Project)
    suites = nested(Suites)
    select = nested(SelectAll)
    exclude = nested(ExcludeAll)
    pytest = nested(Pytest)
    command = nested(Command)
    workers = nested(Workers)
    pools = nested(Pools)
    local = nested(Local)
    docker = nested(Docker)
    ssh = nested(Ssh)
    hosts = nested(Hosts)
    kubernetes = nested(Kubernetes)
    store = nested(Store)
    cache = nested(Cache)
    dependencies = nested(Dependencies)
    artifacts = nested(Artifacts)
    images = nested(Images)
    registry = nested(Registry)
    run = nested(Run)
    join = nested(Join)
    history = nested(History)
    reports = nested(Reports)
    hooks = nested(Hooks)
    console = nested(Console)
    profiles = nested(Profiles)

    tasks: Any = None
    """The catalog's tasks by name, hung on by the composition root."""
    environment: Mapping[str, str] = {}
    """The agent's environment."""
    home: Path = Path()
    """The user's home."""
    leftovers: Mapping[str, str] = {}
    """Undotted arguments, which belong to the user's `get_var`."""

    def __init__(self, ledger: Ledger, outside: Mapping[str, type[Extension]]) -> None:
        super().__init__(Scope(ledger, (), self, None))
        self._kinds = outside
        self._outside: dict[str, Member] = {}
        for name, kind in outside.items():
            if name in self._members or hasattr(Fleet, name) or name == "scope":
                raise SettingsError(f"extension {name!r} ({kind.__module__}) has the name of one of ours")
            if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
                raise SettingsError(
                    f"extension {name!r} ({kind.__module__}) needs a name of small letters, digits and '_'"
                )
            member = Nested(kind)
            member.name = name
            self._outside[name] = member

    @classmethod
    def build(
        cls,
        root: Path,
        *,
        environment: Mapping[str, str],
        arguments: Mapping[str, str],
        home: Path,
        choices: Mapping[str, Callable[[], Iterable[str]]] | None = None,
        extensions: Mapping[str, type[Extension]] | None = None,
    ) -> Self:
        """Return the fleet with every layer read but dodo.py's. Raises nothing that `check` could still tell.

        `arguments` are doit's `name=value` pairs: dotted ones are settings, `profile` selects, the others are kept in
        `leftovers`. `choices` answers, per open set (launchers, frameworks, reporters), with the names of outside
        packages; `extensions` are outside settings objects by name.
        """
        fleet = cls(Ledger(Context(root, choices or {})), extensions or {})
        fleet.environment, fleet.home = environment, home
        fleet.leftovers = {name: value for name, value in arguments.items() if not is_ours(name) and name != "profile"}
        ledger = fleet.scope.ledger
        ledger.profile = arguments.get("profile", "")
        for name in fleet._outside:
            getattr(fleet, name).attach(fleet)
        enter_layers(ledger, fleet.declares(), Surroundings(environment, arguments, home))
        ledger.layer = Layer.DODO
        return fleet

    @property
    def outside(self) -> Mapping[str, type[Extension]]:
        """The settings objects of outside packages, by name."""
        return self._kinds

    def declares(self) -> dict[str, Member]:
        """Return our own objects and those of outside packages."""
        return {**self._members, **self._outside}

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_") and name in self._outside:
            return self.inner(self._outside[name])  # type: ignore[arg-type]
        return super().__getattr__(name)

    @contextmanager
    def dodo(self) -> Iterator[Self]:
        """Enclose the run of dodo.py's `configure`; at its end everything is checked.

        A mistake in dodo.py is told together with those of the other layers.
        """
        ledger = self.scope.ledger
        try:
            yield self
        except SettingsError as error:
            if not ledger.problems:
                raise
            ledger.problems.append(Problem(error.message))
            ledger.insist()
        self.check()

    def check(self) -> None:
        """Raise every problem of all layers at once, as one `SettingsError`; from now on reading is meant in earnest.

        Call it once, when there is no dodo.py; `dodo` calls it itself.
        """
        ledger = self.scope.ledger
        ledger.configuring = False
        ledger.problems += find_problems(self)
        ledger.insist()
