"""A project folder with settings in several layers, and the fleet built from it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import field, frozen

from extensions.fleet import Fleet
from pipeline.settings import kinds
from pipeline.settings.declaration import setting
from pipeline.settings.extension import Extension


class Nomad(Extension):
    """What an outside package might add."""

    namespace = setting(kinds.text, "default")
    """Where allocations are made."""

    grace_seconds = setting(kinds.duration, "25s")
    """How long an allocation may take to end."""

    def attach(self, fleet: Any) -> None:
        """Give ours another default."""
        fleet.workers.lease_seconds.convention("45s")


@frozen
class Site:
    """A project folder and a home beside it."""

    folder: Path
    environment: dict[str, str] = field(factory=dict)

    @property
    def root(self) -> Path:
        """The project's folder."""
        return self.folder / "project"

    @property
    def home(self) -> Path:
        """The user's home."""
        return self.folder / "home"

    def write(self, path: str, text: str) -> Path:
        """Write a file of the project."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def write_home(self, text: str) -> None:
        """Write the user's own settings."""
        file = self.home / ".config" / "doit-fleet.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def build(self, arguments: Mapping[str, str] | None = None, **environment: str) -> Fleet:
        """Read all layers but dodo.py."""
        return Fleet.build(
            self.root,
            environment={**self.environment, **environment},
            arguments=arguments or {},
            home=self.home,
            choices={"launchers": lambda: ["kubernetes"], "frameworks": lambda: ["command"]},
            extensions={"nomad": Nomad},
        )
