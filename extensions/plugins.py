"""Frameworks, launchers, stores and reporters by name: built-in ones register through the same entry points as outside ones.

| group | the name is | the value |
|---|---|---|
| `doit_fleet.frameworks` | `suites.<name>.framework` | an object or module as `stages.agent.Framework` |
| `doit_fleet.launchers` | `workers.launcher` | a function from `Launching` to a `ports.Launcher` |
| `doit_fleet.stores` | the scheme of `store.url` | a function from the url to a `ports.Store` |
| `doit_fleet.reporters` | an item of `reports.formats` | a function from (folder, reproduce) to a `ports.Reporter` |

A launcher that runs images is marked with `needs_images`, one with places of its own with `knows_slots`. Scanned only when a name is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import field, frozen

from pipeline.errors import UsageError
from pipeline.graph.plugins import entry_points
from pipeline.model.suites import HarnessSpec

if TYPE_CHECKING:
    from extensions.fleet import Fleet
    from pipeline.logic.placement.grounds import Grounds
    from pipeline.model.pools import Pool

L = TypeVar("L", bound=Callable[..., Any])
GROUPS = ("frameworks", "launchers", "stores", "reporters")


@frozen(kw_only=True)
class Launching:
    """What a launcher is made from."""

    specs: Mapping[str, HarnessSpec]
    """How harnesses are started, by suite."""
    slots: int
    lease_seconds: float
    scratch: Path
    """A folder of its own, for logs and what was not delivered."""
    fleet: Fleet
    """All settings, for a launcher with an extension of its own."""
    pools: Sequence[Pool] = ()
    """The pools that suites use, with their slots and suites; what they say of sizes is in `fleet.pools[<name>]`."""
    sources: Callable[[], Iterable[str]] = field(default=tuple)
    """The project's tracked and unignored files, and what frameworks have made for their tests; relative to its root."""
    grounds: Grounds | None = None
    """The queues that slots are, where they are any."""
    tell: Callable[[str], None] = field(default=lambda _: None)
    """Takes warnings for people, one sentence each; from any thread."""


def needs_images(launcher: L) -> L:
    """Mark a launcher whose workers run images: then the tasks that make them exist, and `launch` waits for `push`."""
    launcher.needs_images = True  # type: ignore[attr-defined]
    return launcher


def knows_slots(count: Callable[[Fleet], int]) -> Callable[[L], L]:
    """Mark a launcher whose workers live elsewhere than here, and that knows how many it has places for: `count` says it."""

    def mark(launcher: L) -> L:
        launcher.count_slots = count  # type: ignore[attr-defined]
        return launcher

    return mark


def names(group: str) -> tuple[str, ...]:
    """All names registered in a group."""
    return tuple(sorted({point.name for point in entry_points(f"doit_fleet.{group}")}))


def load(group: str, name: str) -> Any:
    """What is registered under a name. Raises `UsageError` that names the alternatives or the package at fault."""
    found = [point for point in entry_points(f"doit_fleet.{group}") if point.name == name]
    if not found:
        known = ", ".join(map(repr, names(group))) or "none"
        raise UsageError(f"no package offers {name!r} among {group} (known: {known})")
    try:
        return found[0].load()
    except Exception as error:
        dist = found[0].dist.name if found[0].dist else "?"
        raise UsageError(f"{group[:-1]} {name!r} of package {dist!r} cannot be loaded: {error!r}") from error
