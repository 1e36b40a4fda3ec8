"""The suites: tests of one framework, with where they are and how they are run.

A suite's framework names the object its defaults come from. Nothing here looks for tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

from extensions.capacity import Objects
from extensions.command import Running, Sources
from extensions.pytest import Pytest
from extensions.requires import Requires
from extensions.selection import Exclude, Select
from extensions.services import Services
from pipeline.settings import kinds
from pipeline.settings.choice import Choice
from pipeline.settings.collected import interpreters, texts, variables
from pipeline.settings.container import Container
from pipeline.settings.declaration import nested, setting
from pipeline.settings.extension import Extension
from pipeline.settings.providers import Provider
from pipeline.settings.setting import Setting


def root_of_project(suite: Extension) -> Provider[Any]:
    """The project's root."""
    root: Provider[Any] = suite.scope.fleet.project.root
    return root


class Suite(Pytest, Running, Sources):
    """Tests of one framework with their settings. What is not given here comes from the framework's own table."""

    framework = setting(Choice("pytest", "command", open_set="frameworks"), "pytest")
    """What runs the tests."""

    root = setting(kinds.path, root_of_project)
    """The folder pytest is started in, for monorepos. Node ids and `paths` are relative to it."""

    paths = setting(texts, ())
    """Files and folders to collect, relative to `root`. Empty: what the framework's own configuration says."""

    python = setting(interpreters, ())
    """The interpreter, or several, each of which runs the suite. Empty: found (active environment, .venv, uv, …)."""

    pool = setting(kinds.text, "default")
    """The pool whose workers run it, and none else. The pool `default` is always there and is `workers` as it stands.
    Where workers have containers of their own, these have the size that the pool names, and beside them the services of
    its suites only."""

    env = setting(variables, {})
    """Environment variables for the tests, on top of the agent's own. Values may be `{ secret = "name" }`."""

    select = nested(Select)
    exclude = nested(Exclude)
    services = nested(Services)
    objects = nested(Objects)
    requires = nested(Requires)

    outputs = setting(texts, ())
    """Files that tests leave and that are wanted, as patterns relative to `root`: `["reports/*.xml", "screenshots/**"]`. Workers elsewhere send them home when they end, to `<build_dir>/outputs/<worker>/<suite>/`."""

    up_to_date = setting(kinds.boolean, True)
    """Whether a green result is printed again when nothing changed. False: run every time."""

    def parent(self) -> Extension | None:
        """Return the object that has the framework's name, if there is one."""
        name = self.framework.peek()
        return getattr(self.scope.fleet, name) if name in self.scope.fleet.declares() else None

    def inherited(self, name: str) -> Setting[Any] | None:
        """Return the framework's setting of that name; the framework itself cannot depend on it."""
        return None if name == "framework" else super().inherited(name)


class Suites(Container[Suite]):
    """The suites by name. When none is named there is one, `pytest`, that collects what plain `pytest` would."""

    element = Suite

    def implied(self, named: tuple[str, ...]) -> tuple[str, ...]:
        """Return the one found by convention when none is named."""
        return named or ("pytest",)

    def chosen(self) -> tuple[str, ...]:
        """Return the names of those that `select.suites` and `exclude.suites` leave; from then on all of that is final."""
        fleet = self.scope.fleet
        return _left(self.names(), fleet.select.suites.get(), fleet.exclude.suites.get())

    def likely(self) -> tuple[str, ...]:
        """Return the same so far, leaving everything open."""
        fleet = self.scope.fleet
        return _left(self.known(), fleet.select.suites.peek(), fleet.exclude.suites.peek())


def _left(names: Sequence[str], wanted: Sequence[str], unwanted: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in names if (not wanted or named_by(name, wanted)) and not named_by(name, unwanted))


def named_by(name: str, patterns: Sequence[str]) -> bool:
    """Whether one of the patterns is the suite's."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)
