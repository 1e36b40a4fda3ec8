"""The composition root: joins settings, stages and adapters into what doit runs. Everybody else receives, nobody fetches.

On the way of every `doit`, so nothing is imported here that only some commands need.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from extensions.agent import LocalAgent
from extensions.fleet import Fleet
from extensions.outside import outside_extensions
from extensions.plugins import GROUPS, names
from extensions.tasks import register
from pipeline.graph.catalog import Catalog
from pipeline.graph.cli import main as run_command_line
from pipeline.graph.composition import Composition
from pipeline.graph.loader import CatalogLoader

OURS = ("resume", "profile", "host")
"""Undotted arguments that are not the user's `get_var`."""


class FleetLoader(CatalogLoader):
    """doit's loader called `fleet`."""

    def __init__(self) -> None:
        super().__init__()
        self.agent: LocalAgent | None = None

    def compose(self, start: Path, arguments: Mapping[str, str]) -> Composition:
        """Read the settings' layers below dodo.py and register the tasks."""
        fleet = Fleet.build(
            start,
            environment=dict(os.environ),
            arguments=arguments,
            home=Path.home(),
            choices={group: partial(names, group) for group in GROUPS},
            extensions=outside_extensions(),
        )
        if not os.access(start, os.W_OK):
            _write_elsewhere(fleet, start)
        catalog = Catalog()
        self.agent = LocalAgent(fleet)
        register(
            catalog,
            self.agent,
            resume=arguments.get("resume", ""),
            regardless=lambda: bool(self._options.get("always")),
        )
        fleet.tasks = catalog
        return Composition(
            catalog=catalog,
            fleet=fleet,
            configuring=fleet.dodo,
            leftover={name: value for name, value in fleet.leftovers.items() if name not in OURS},
            doit_config={"default_tasks": ["gather"], "dep_file": str(fleet.project.state_dir.peek() / "doit.db")},
            close=self.agent.close,
            ended=partial(_tell_hooks, self.agent),
            clear=self.agent.clear,
        )


def _tell_hooks(agent: LocalAgent, code: int) -> None:
    if agent.reporting.has_run:
        from extensions.hooking import send

        send(agent, code)


def _write_elsewhere(fleet: Fleet, root: Path) -> None:
    """A project that cannot be written into keeps its state in the user's cache folder."""
    import hashlib

    cache = Path(fleet.environment.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "doit-fleet" / "projects" / f"{root.name}-{hashlib.sha256(str(root).encode()).hexdigest()[:8]}"
    fleet.project.state_dir.convention(folder / "state")
    fleet.project.build_dir.convention(folder / "build")


def main() -> int:
    """The script `doit-fleet`."""
    return run_command_line(sys.argv[1:], FleetLoader)
