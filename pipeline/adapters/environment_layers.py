"""Layers of an image's environment: `dependencies` (releases, which stay as they are) and `packages` (all that does not).

From a lock: wheels out of the artifact cache. From an interpreter of the agent: what is installed for it. Whatever decides a
layer's bytes is in its key, so that nothing is done when nothing changed. Must not know images or registries.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import field, frozen

from pipeline.adapters.byte_code import Compiler, compile_packages
from pipeline.adapters.environment_copy import copy_distribution, listed
from pipeline.adapters.environment_tree import environment_entries, inside, lay_skeleton
from pipeline.adapters.index_settings import IndexSettings
from pipeline.adapters.wheel_fetching import Progress, Source, Wheel, fetch_wheels
from pipeline.adapters.wheel_unpacking import unpack_wheel
from pipeline.errors import EngineError, UsageError
from pipeline.logic.origins import folder_of, why_not_kept
from pipeline.model.dependencies import Lock, Pin, Target
from pipeline.model.environments import DependencyLayer, Installation, Installed, VirtualEnvironment
from pipeline.model.layer_entries import LayerEntry
from pipeline.ports.artifacts import ArtifactCache

FORMAT = 1
"""To be raised whenever equal inputs give other bytes than before."""


@frozen(kw_only=True)
class Making:
    """What the layers of one environment are made with."""

    venv: VirtualEnvironment
    installation: Installation
    """Of the interpreter that the suite has on the agent."""
    root: Path
    """The project on the agent."""
    project: str = "/project"
    """The project in the image."""
    target: Target
    cache: ArtifactCache
    settings: IndexSettings
    scratch: Path
    """A folder that stays until all layers are made."""
    processes: int = 1
    progress: Progress
    had: list[Wheel] = field(factory=list, eq=False)
    """Wheels as they were had, for reports."""

    @property
    def is_alike(self) -> bool:
        """Whether the agent's interpreter is like the image's, so that what it has and builds runs there."""
        same = self.installation.version[:2] == self.venv.version[:2] and self.installation.system == "Linux"
        return (
            same
            and self.installation.machine == self.target.machine
            and _bears(self.target.libc, self.installation.libc)
        )


def _bears(target: str, agent: str) -> bool:
    """Of the C library only the kind is compared: users choose a base that bears what they install."""
    return not agent or target.partition("-")[0] == agent.partition("-")[0]


def lock_layer(lock: Lock, making: Making) -> DependencyLayer:
    """The layer of a lock's releases."""
    pins = [pin for pin in lock.pins if not pin.fresh]
    told = [[pin.name, pin.version, sorted(one.sha256 for one in pin.artifacts)] for pin in pins]
    key = _key("lock", making, {"pins": told, "machine": making.target.machine, "libc": making.target.libc})

    def make(folder: Path) -> Sequence[LayerEntry]:
        wheels = wheels_of(lock, making, folder / "scratch")
        tree = folder / "tree"
        lay_skeleton(tree, making.venv)
        for wheel in wheels:
            unpack_wheel(wheel.path, wheel.filename, making.venv, tree)
        return _finished(tree, making, making.cache)

    return DependencyLayer(name="dependencies", key=key, about=f"{len(pins)} distributions of {lock.path}", make=make)


def wheels_of(lock: Lock, making: Making, scratch: Path) -> Sequence[Wheel]:
    """All wheels of a lock's releases, sorted by name; `scratch` stays until they have been read."""
    pins = [pin for pin in lock.pins if not pin.fresh]
    scratch.mkdir(parents=True, exist_ok=True)
    links = (*making.settings.find_links, *lock.find_links)
    settings = IndexSettings(
        indexes=tuple(dict.fromkeys((*lock.indexes, *making.settings.indexes))),
        is_set=making.settings.is_set,
        find_links=links,
        certificates=making.settings.certificates,
        online=making.settings.online,
    )
    source = Source(
        cache=making.cache,
        settings=settings,
        target=making.target,
        root=making.root,
        builder=making.installation.python if making.is_alike else "",
        scratch=scratch,
        progress=making.progress,
    )
    wheels = fetch_wheels(pins, source)
    making.had[:] = wheels
    return wheels


def copied_layer(making: Making) -> DependencyLayer:
    """The layer of the releases that the agent's interpreter has. Raises `UsageError` when it is unlike the image's."""
    _insist_alike(making)
    found = [one for one in making.installation.distributions if not _is_fresh(one, making)]
    told = [[one.name, one.version, _record_digest(one, making.installation)] for one in found]
    key = _key("copy", making, {"distributions": told})

    def make(folder: Path) -> Sequence[LayerEntry]:
        lay_skeleton(folder, making.venv)
        _copy(found, making, folder)
        return _finished(folder, making, making.cache)

    return DependencyLayer(name="dependencies", key=key, about=f"{len(found)} installed distributions", make=make)


def packages_layer(fresh: Sequence[Pin], making: Making) -> DependencyLayer | None:
    """The layer of what is resolved each time: the project where it is installed, and what has no released version.

    `fresh` are such pins of a lock; those that the agent's interpreter lacks are built. None when there is nothing.
    """
    from pipeline.adapters.fresh_packages import fresh_packages

    packages = fresh_packages(fresh, making)
    if packages is None:
        return None
    key = _key("packages", making, {"content": packages.digest})

    def make(folder: Path) -> Sequence[LayerEntry]:
        inside(folder, making.venv.packages).mkdir(parents=True)
        packages.lay(folder)
        return _finished(folder, making, None)

    return DependencyLayer(name="packages", key=key, about=packages.about, make=make)


def _insist_alike(making: Making) -> None:
    if not making.is_alike:
        has, wants = making.installation, making.target
        raise UsageError(
            f"{has.python!r} is Python {has.version[0]}.{has.version[1]} on {has.machine}, the image has {wants.short} on {wants.machine}: "
            "what is installed for one does not run on the other",
            hint="give the project a lock file with hashes (uv.lock, pylock.toml), or name a base image like the agent",
        )


def _is_fresh(one: Installed, making: Making) -> bool:
    return bool(why_not_kept(one)) or folder_of(one) != ""


def _copy(found: Sequence[Installed], making: Making, folder: Path) -> None:
    moved = {str(making.root): making.project}
    for one in found:
        lost = copy_distribution(one, making.installation, making.venv, folder, moved)
        if lost:
            making.progress(f"{one.name}: {lost[0]!r} lies outside its environment and is not in the image")


def _finished(folder: Path, making: Making, cache: ArtifactCache | None) -> Sequence[LayerEntry]:
    agent, venv = making.installation, making.venv
    if agent.version[:2] == venv.version[:2] and agent.cache_tag:
        compiler = Compiler(
            python=agent.python, version=agent.version, cache_tag=agent.cache_tag, processes=making.processes
        )
        compile_packages(inside(folder, venv.packages), venv.packages, compiler, cache)
    return environment_entries(folder, making.venv)


def _key(kind: str, making: Making, told: Mapping[str, Any]) -> str:
    compiled = list(making.installation.version) if making.installation.version[:2] == making.venv.version[:2] else []
    whole = {
        "format": FORMAT, "kind": kind, "base": making.venv.base, "prefix": making.venv.prefix, "python": making.venv.short,
        "compiled": compiled, "project": making.project, **told,
    }  # fmt: skip
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()


def _record_digest(one: Installed, installation: Installation) -> str:
    """What the installer wrote of the files, without what differs from one environment to the next."""
    try:
        lines = Path(one.home, "RECORD").read_text("utf-8").splitlines()
    except OSError:
        return _content_digest(listed(one, installation))
    home = os.path.basename(one.home)
    kept = [line for line in lines if not line.startswith(("..", f"{home}/")) and "__pycache__/" not in line]
    return hashlib.sha256("\n".join(sorted(kept)).encode()).hexdigest()


def _content_digest(paths: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for path in sorted(paths):
        try:
            digest.update(os.path.basename(path).encode() + b"\0" + hashlib.sha256(Path(path).read_bytes()).digest())
        except OSError as error:
            raise EngineError(f"cannot read {path!r}: {error}") from error
    return digest.hexdigest()
