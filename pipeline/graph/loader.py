"""doit's task loader for us: the catalog's tasks beside the user's own, realised only as far as a command needs them.

A subclass in `extensions` supplies the composition. Works with and without a dodo.py.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from doit import doit_cmd  # type: ignore[import-untyped]
from doit import loader as doit_loader
from doit.cmd_base import DodoTaskLoader  # type: ignore[import-untyped]
from doit.exceptions import InvalidDodoFile  # type: ignore[import-untyped]
from doit.task import Task  # type: ignore[import-untyped]

from pipeline.errors import FleetError, UsageError
from pipeline.graph.checker import ContentChecker
from pipeline.graph.composition import Composition
from pipeline.graph.plugins import share_with_doit
from pipeline.graph.project import Dodo
from pipeline.graph.selection import EXECUTING, Selection, select
from pipeline.graph.stop import Stop
from pipeline.graph.task import TaskSpec
from pipeline.graph.userland import Userland

PLUGINS: Mapping[str, Mapping[str, str]] = {
    "BACKEND": {"fleet": "pipeline.graph.state:StateDB"},
    "REPORTER": {"fleet": "pipeline.graph.reporter:FleetReporter"},
}
DEFAULTS: Mapping[str, Any] = {
    "backend": "fleet",
    "dep_file": ".fleet/doit.db",
    "reporter": "fleet",
    "par_type": "thread",
    "check_file_uptodate": ContentChecker,
}


class Refused(InvalidDodoFile):  # type: ignore[misc]
    """A `FleetError` raised while tasks were loaded: doit prints it without a traceback and exits with 3."""

    def __init__(self, error: FleetError) -> None:
        super().__init__(str(error))
        self.error = error


class CatalogLoader(DodoTaskLoader):  # type: ignore[misc]
    """The base of `extensions.composition:FleetLoader`."""

    def __init__(self) -> None:
        self._config: Mapping[str, Any] | None = None
        super().__init__()
        self.stop = Stop()
        self.userland = Userland()
        self.composition = Composition(catalog=None)  # type: ignore[arg-type]  # Until `setup`.
        self._started_in = os.getcwd()
        self._options: Mapping[str, Any] = {}
        self._chosen_by_user: frozenset[str] = frozenset()

    def compose(self, start: Path, arguments: Mapping[str, str]) -> Composition:
        """Make the catalog for the project in `start`; called once, before dodo.py is imported.

        `arguments` are all `name=value` of the command line. Raises `UsageError` for dotted names it does not know.
        """
        raise NotImplementedError

    @property
    def config(self) -> Mapping[str, Any] | None:
        """doit's configuration, all sections."""
        return self._config

    @config.setter
    def config(self, config: dict[str, dict[str, Any]] | None) -> None:
        """Take doit's configuration and put our defaults below the user's, before any command reads it."""
        self._config = config
        share_with_doit()
        if config is None:
            return
        for kind, plugins in PLUGINS.items():
            config[kind] = {**plugins, **config.get(kind, {})}
        mine = config.get("GLOBAL", {})
        self._chosen_by_user = frozenset(mine)
        config["GLOBAL"] = {**DEFAULTS, **mine}
        if "backend" in mine and "dep_file" not in mine:
            del config["GLOBAL"]["dep_file"]  # Another backend keeps to doit's own file.

    def setup(self, opt_values: Mapping[str, Any]) -> None:
        """Go to the project, compose, then import dodo.py if there is one and let it configure."""
        with _refusing():
            self._options = opt_values
            dodo = Dodo.locate(opt_values["dodoFile"], opt_values["cwdPath"], opt_values["seek_file"])
            os.chdir(dodo.folder)
            self.composition = self.compose(dodo.folder, dict(doit_cmd._CMDLINE_VARS or {}))
            doit_cmd._CMDLINE_VARS = dict(self.composition.leftover)
            self._refuse_command_names()
            self.namespace = self._import(dodo)
            with self.composition.configuring():
                self._configure(self.namespace.get("configure"))

    def _configure(self, configure: object) -> None:
        if inspect.isfunction(configure) and len(inspect.signature(configure).parameters) == 1:
            from pipeline.settings import scanning  # noqa: F401 - Ours import it for a mistake in dodo.py, too late then.

            with self.userland.entered():
                configure(self.composition.fleet)

    def load_doit_config(self) -> dict[str, Any]:
        """doit's configuration: the composition's, below pyproject.toml's, below the dodo.py's."""
        ours = {k: v for k, v in self.composition.doit_config.items() if k not in self._chosen_by_user}
        chosen = (self._config or {}).get("GLOBAL", {})
        if "default_tasks" in chosen:
            ours["default_tasks"] = chosen["default_tasks"]  # doit itself reads it from dodo.py only.
        return {**ours, **super().load_doit_config()}

    def load_tasks(self, cmd: Any, pos_args: Sequence[str]) -> list[Task]:
        """Realise what the command is about."""
        name = cmd.get_name()
        selection = select(name, self._options, cmd.sel_tasks, pos_args)
        with _refusing():
            with self.userland.entered():
                users = super().load_tasks(cmd, pos_args)
            self._refuse_doubles(users)
            if selection.names_only:
                return [*self._names(), *users]
            words, tasks = self._realise(selection, users, executing=name in EXECUTING)
            if name in EXECUTING and words:
                cmd.sel_tasks = words  # doit knows no target patterns.
            return tasks

    def _realise(self, selection: Selection, users: Sequence[Task], *, executing: bool) -> tuple[list[str], list[Task]]:
        from pipeline.graph.closure import Closure  # Names can be listed without all that.
        from pipeline.graph.words import reach_words

        closure = Closure(
            self.composition.catalog, users, self._convert, executing=executing, members=selection.members
        )
        if selection.everything:
            closure.reach_everything()
        words = reach_words(selection.words, closure, options=executing, known=self.cmd_names)
        return words, closure.complete()

    def _names(self) -> Iterator[Task]:
        catalog = self.composition.catalog
        for name in catalog:
            yield Task(name, None, doc=catalog.doc(name), has_subtask=catalog.group(name) is not None)

    def _convert(self, spec: TaskSpec) -> Task:
        from pipeline.graph.conversion import FleetTask  # As above.

        task = FleetTask(spec, self.stop)
        task.cfg_values = (self._config or {}).get(f"task:{spec.name}")
        return task

    def _import(self, dodo: Dodo) -> dict[str, Any]:
        if dodo.file is None:
            doit_loader.initial_workdir = self._started_in
            return {}
        with self.userland.entered():
            module = doit_loader.get_module(str(dodo.file), str(dodo.folder), False)
        doit_loader.initial_workdir = self._started_in
        return dict(inspect.getmembers(module))

    def _refuse_command_names(self) -> None:
        for name in self.composition.catalog:
            if name in self.cmd_names:
                raise UsageError(f"task {name!r} has the name of a command of doit")

    def _refuse_doubles(self, users: Sequence[Task]) -> None:
        for task in users:
            if task.name in self.composition.catalog:
                raise UsageError(
                    f"task {task.name!r} of dodo.py has the name of one of doit-fleet's",
                    hint=f'rename it; to change ours, use fleet.tasks["{task.name}"] in configure(fleet)',
                )


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except FleetError as error:
        raise Refused(error) from error
