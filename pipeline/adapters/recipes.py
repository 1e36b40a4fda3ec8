"""Recipes: look in the artifact cache under a key of all that decides the outputs; on a miss run the command and keep them.

What a failed or stopped command left is never kept. Knows no settings and no images.
"""

from __future__ import annotations

import hashlib
import json
import platform
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from attrs import field, frozen

from pipeline.adapters.archive_extractor import extract
from pipeline.adapters.layer_trees import tree_entries
from pipeline.adapters.recipe_files import Remembered, digests, found, pack, put_back
from pipeline.adapters.recipe_process import Stopping, run_recipe
from pipeline.errors import EngineError, UsageError
from pipeline.model.environments import DependencyLayer
from pipeline.model.layer_entries import LayerEntry
from pipeline.model.recipes import Made, Recipe
from pipeline.ports.artifacts import PRODUCED, ArtifactCache, ArtifactGone

FORMAT = 1
ARCHIVE = "outputs.tar"


@frozen(kw_only=True)
class Kitchen:
    """Where recipes are made."""

    root: Path
    state: Path
    """Where it is remembered what was made."""
    cache: ArtifactCache
    environment: Mapping[str, str] = field(repr=False)
    progress: Callable[[str], None]
    stop: Stopping | None = None


def make(recipe: Recipe, kitchen: Kitchen, key: str) -> Made:
    """The outputs, from the cache or made now; `key` as `key_of` gave it before. The project has them afterwards.

    Raises `EngineError` with the end of a failed command's output, `UsageError` for outputs that do not come about.
    """
    started = time.monotonic()
    record = kitchen.cache.find(key, about=f"artifact {recipe.name}")
    if record is not None and ARCHIVE in record.outputs:
        try:
            path = kitchen.cache.file(record.outputs[ARCHIVE])
            files = _restored(path, recipe, kitchen)
        except ArtifactGone as error:
            reason = str(error)
        else:
            return Made(recipe=recipe, key=key, archive=path, sha256=record.outputs[ARCHIVE].sha256,
                        how="task" if recipe.task else "hit", files=files, seconds=time.monotonic() - started)  # fmt: skip
    else:
        reason = "nothing was made of these inputs before"
    if not recipe.task:
        _cook(recipe, kitchen)
    return _kept(recipe, kitchen, key, started, reason)


def key_of(recipe: Recipe, kitchen: Kitchen) -> str:
    """The digest of all that decides the outputs. Raises `EngineError` when a tool does not say its version."""
    told = {
        "format": FORMAT,
        "name": recipe.name,
        "command": list(recipe.command),
        "cwd": recipe.cwd,
        "inputs": digests(kitchen.root, recipe.outputs if recipe.task else recipe.inputs),
        "outputs": list(recipe.outputs),
        "environment": {name: kitchen.environment.get(name) for name in recipe.environment},
        "tools": {} if recipe.task else {tool: _version(recipe, tool, kitchen) for tool in recipe.tools},
        "platform": [platform.system(), platform.machine()],
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode("utf-8", "surrogateescape")).hexdigest()


def _version(recipe: Recipe, tool: str, kitchen: Kitchen) -> str:
    return run_recipe(
        recipe.name, (tool,), cwd=kitchen.root, env=kitchen.environment, timeout_seconds=60, stop=kitchen.stop
    )


def _restored(archive: Path, recipe: Recipe, kitchen: Kitchen) -> int:
    with tempfile.TemporaryDirectory(prefix="doit-fleet-recipe-", dir=_made(kitchen.state)) as scratch:
        if recipe.task:
            return len(found(kitchen.root, recipe.outputs))
        return put_back(archive, kitchen.root, Path(scratch) / "outputs")


def _cook(recipe: Recipe, kitchen: Kitchen) -> None:
    cwd = kitchen.root / recipe.cwd
    if not cwd.is_dir():
        raise UsageError(f"artifact {recipe.name!r}: its cwd {recipe.cwd!r} is no folder of the project")
    before = digests(kitchen.root, recipe.inputs)
    _remembered(recipe, kitchen).remove_leftovers(kitchen.root)
    kitchen.progress(f"making artifact {recipe.name}: {' '.join(recipe.command)}")
    run_recipe(
        recipe.name,
        recipe.command,
        cwd=cwd,
        env=kitchen.environment,
        timeout_seconds=recipe.timeout_seconds,
        stop=kitchen.stop,
    )
    after = digests(kitchen.root, recipe.inputs)
    changed = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
    if changed:
        raise UsageError(
            f"artifact {recipe.name!r}: its input {changed[0]!r} changed while it was made, so it cannot be kept",
            hint="let inputs not hold what the command writes, and start again",
        )


def _kept(recipe: Recipe, kitchen: Kitchen, key: str, started: float, reason: str) -> Made:
    names = found(kitchen.root, recipe.outputs)
    if not names:
        maker = f"task {recipe.task!r}" if recipe.task else "its command"
        raise UsageError(f"artifact {recipe.name!r}: {maker} has made none of the outputs {list(recipe.outputs)!r}")
    with tempfile.TemporaryDirectory(prefix="doit-fleet-recipe-", dir=_made(kitchen.state)) as scratch:
        archive = Path(scratch) / ARCHIVE
        pack(kitchen.root, names, archive)
        record = kitchen.cache.keep(key, {ARCHIVE: archive}, kind=PRODUCED, about=f"artifact {recipe.name}")
        output = record.outputs[ARCHIVE]
        try:
            path = kitchen.cache.file(output)
            if path == archive:
                path = archive.rename(_made(kitchen.state) / f"{recipe.name}.tar")
        except ArtifactGone as error:
            raise EngineError(
                f"artifact {recipe.name!r} cannot be read back from the cache: {error.message}"
            ) from error
    if not recipe.task:
        _remembered(recipe, kitchen).write(kitchen.root, names)
    return Made(recipe=recipe, key=key, archive=path, sha256=output.sha256, how="task" if recipe.task else "made",
                files=len(names), seconds=time.monotonic() - started, reason=reason)  # fmt: skip


def _remembered(recipe: Recipe, kitchen: Kitchen) -> Remembered:
    return Remembered(kitchen.state / f"{recipe.name}.json")


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def recipe_layer(made: Made, project: str = "/project") -> DependencyLayer:
    """The layer of a recipe's outputs; its key is that of their content, so another way to equal outputs changes nothing."""
    base = _base(made.recipe.outputs) if made.recipe.target else PurePosixPath(".")
    target = made.recipe.target or project
    key = hashlib.sha256(json.dumps([FORMAT, made.sha256, str(base), target]).encode()).hexdigest()

    def layer(folder: Path) -> Sequence[LayerEntry]:
        extract(made.archive, folder / "outputs")
        at = folder / "outputs" / base
        return list(tree_entries(at if at.is_dir() else at.parent, target))

    return DependencyLayer(
        name=f"artifact-{made.recipe.name}", key=key, about=f"artifact {made.recipe.name}", make=layer
    )


def _base(outputs: Sequence[str]) -> PurePosixPath:
    """The folder that all outputs lie in, as far as their patterns name it: it becomes the target."""
    parts = [_named(PurePosixPath(pattern)) for pattern in outputs]
    common: list[str] = []
    for level in zip(*parts, strict=False):
        if len({*level}) > 1:
            break
        common.append(level[0])
    return PurePosixPath(*common)


def _named(pattern: PurePosixPath) -> list[str]:
    named: list[str] = []
    for part in pattern.parts:
        if any(sign in part for sign in "*?["):
            return named
        named.append(part)
    return named
