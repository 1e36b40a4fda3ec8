"""The store: where all parties of a run meet, and how long its runs are kept."""

from __future__ import annotations

from typing import Any

from pipeline.settings import kinds
from pipeline.settings.declaration import setting
from pipeline.settings.extension import Extension
from pipeline.settings.location import location
from pipeline.settings.providers import Provider


def folder_of_store(store: Extension) -> Provider[Any]:
    """`store` in the project's state_dir."""
    folder: Provider[Any] = store.scope.fleet.project.state_dir.map(lambda state: state / "store")
    return folder


class Store(Extension):
    """The medium that holds plans, claims, journals and results."""

    url = setting(location, folder_of_store)
    """A folder, or an address whose scheme says which store it is."""

    keep_runs = setting(kinds.whole, 20)
    """How many closed runs are kept at least."""

    keep_days = setting(kinds.whole, 14)
    """Age in days from which closed runs beyond `keep_runs` are removed."""
