"""One interpreter of a suite, and what of it goes into an image: finds the lock, chooses the source, names the layers.

The way in for whoever makes images. Nothing is fetched or built before a layer is made, fresh packages excepted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import field, frozen

from pipeline.adapters.environment_layers import Making, copied_layer, lock_layer, packages_layer, wheels_of
from pipeline.adapters.index_settings import index_settings
from pipeline.adapters.installations import installation_of
from pipeline.adapters.locks import find_lock, read_lock
from pipeline.adapters.wheel_fetching import Progress, Wheel
from pipeline.errors import UsageError
from pipeline.logic.target_platform import machine_of
from pipeline.model.dependencies import Lock, Target
from pipeline.model.environments import DependencyLayer, VirtualEnvironment
from pipeline.ports.artifacts import ArtifactCache

SOURCES = ("auto", "lock", "environment", "none")


@frozen(kw_only=True)
class Wish:
    """What is asked for; one for each interpreter."""

    python: str
    """The interpreter on the agent."""
    base: str
    """The interpreter of the base image."""
    version: tuple[int, ...] = ()
    """Of the base's interpreter, as far as known: X.Y or X.Y.Z. Empty: as the name of `base` says, else the agent's."""
    folders: tuple[Path, ...] = ()
    """Where a lock may be, best first: the suite's root, the project's."""
    source: str = "auto"
    """One of `SOURCES`."""
    lock: Path | None = None
    """The lock file, where the user named it."""
    groups: tuple[str, ...] | None = None
    """Groups and extras of the lock; None: those that tests are known to use."""
    needed: tuple[str, ...] = ()
    """Distributions without which the suite cannot run (pytest): a lock found by convention must have them."""
    platform: str = "linux/amd64"
    libc: str = "glibc-2.28"


@frozen(kw_only=True)
class Surroundings:
    """Where it is asked."""

    root: Path
    cache: ArtifactCache
    environment: Mapping[str, str] = field(repr=False)
    home: Path
    scratch: Path
    """A folder that stays until all layers are made."""
    processes: int = 1
    progress: Progress
    remembered: Path | None = None
    """A folder of the agent's own for what interpreters have said of themselves."""
    project: str = "/project"


@frozen(kw_only=True)
class Dependencies:
    """What is to be put into the image, in order, and what it gives."""

    layers: tuple[DependencyLayer, ...]
    python: str
    """The suite's interpreter in the image."""
    source: str
    """For people: where it all comes from."""
    lock: Lock | None
    making: Making = field(repr=False)


def dependency_layers(wish: Wish, around: Surroundings) -> Dependencies:
    """The layers of one interpreter. Raises `UsageError` for what the user can mend, with file and line."""
    making = _making(wish, around)
    if wish.source == "none":
        return Dependencies(
            layers=(), python=wish.base, source="none: the base image holds them", lock=None, making=making
        )
    lock = _lock(wish, around, making)
    kept = copied_layer(making) if lock is None else lock_layer(lock, making)
    packages = packages_layer([pin for pin in lock.pins if pin.fresh] if lock else [], making)
    layers = (kept,) if packages is None else (kept, packages)
    source = f"the lock {lock.path}" if lock else f"what {wish.python} has installed"
    return Dependencies(layers=layers, python=making.venv.python, source=source, lock=lock, making=making)


def fetch_ahead(dependencies: Dependencies, scratch: Path) -> Sequence[Wheel]:
    """Have all wheels of the lock in the artifact cache; empty without a lock. Raises `EngineError` naming what fails."""
    return wheels_of(dependencies.lock, dependencies.making, scratch) if dependencies.lock else ()


def _making(wish: Wish, around: Surroundings) -> Making:
    installation = installation_of(wish.python, around.remembered)
    version = _version(wish, installation.version)
    return Making(
        venv=VirtualEnvironment(base=wish.base, version=version),
        installation=installation,
        root=around.root,
        project=around.project,
        target=Target(python=version, machine=machine_of(wish.platform), libc=wish.libc),
        cache=around.cache,
        settings=index_settings(around.environment, around.home, installation.prefix),
        scratch=around.scratch,
        processes=around.processes,
        progress=around.progress,
    )


def _version(wish: Wish, agent: tuple[int, int, int]) -> tuple[int, int, int]:
    named = re.search(r"python(\d)\.(\d+)$", wish.base)
    told = wish.version or ((int(named[1]), int(named[2])) if named else agent)
    if len(told) == 3:
        return told[0], told[1], told[2]
    return agent if tuple(told) == agent[:2] else (told[0], told[1], 0)


def _lock(wish: Wish, around: Surroundings, making: Making) -> Lock | None:
    if wish.source == "environment":
        return None
    path = wish.lock or find_lock(wish.folders or (around.root,))
    if path is None:
        if wish.source == "lock":
            raise UsageError(
                "no lock file was found",
                hint="make one: `uv lock`, `uv export --format pylock.toml -o pylock.toml`, or requirements with --generate-hashes",
            )
        return None
    lock = read_lock(path, around.root, making.target, around.environment, wish.groups)
    missing = sorted({*wish.needed} - {pin.name for pin in lock.pins})
    if missing and (wish.lock is not None or wish.source == "lock" or not making.is_alike):
        raise UsageError(
            f"the lock {lock.path} has no {missing[0]!r}, which the tests need",
            hint="lock the group or extra that holds it, or set images.dependencies = 'environment'",
        )
    if missing:
        around.progress(
            f"the lock {lock.path} has no {missing[0]!r}: what {wish.python} has installed is taken instead"
        )
        return None
    return lock
