"""Provides what images are made of, from settings to layers: environments of the suites, wheels for builds, artifacts.

The composition root's half of `stages.artifacts`. Whoever makes images asks `layers`. It must not know registries.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import UsageError

if TYPE_CHECKING:
    from extensions.fleet import Fleet
    from pipeline.adapters.dependency_layers import Dependencies, Surroundings, Wish
    from pipeline.adapters.recipes import Kitchen
    from pipeline.graph.task import Digest
    from pipeline.model.environments import DependencyLayer
    from pipeline.model.recipes import Made, Recipe
    from pipeline.model.suites import Suite
    from pipeline.ports.artifacts import ArtifactCache

DEBIAN_PYTHON = "/usr/bin/python{version}"


class Provisions:
    """What one agent provides."""

    def __init__(
        self,
        fleet: Fleet,
        root: Path,
        suites: Callable[[], Sequence[Suite]],
        cache: Callable[[], ArtifactCache],
        wanted: Callable[[str], Mapping[str, int]],
        tell: Callable[[str], None],
    ) -> None:
        self._fleet, self._root = fleet, root
        self._suites, self._cache, self._wanted, self._tell = suites, cache, wanted, tell
        self._made: list[Made] = []
        self._by_base: dict[str, Sequence[Dependencies]] = {}

    # For the task `artifacts`.

    def tasks(self) -> Sequence[str]:
        """Tasks of the user's that make artifacts or settle their settings."""
        names: dict[str, None] = {}
        for name in self._fleet.artifacts.names():
            artifact = self._fleet.artifacts[name]
            for setting in (artifact.command, artifact.inputs, artifact.environment, artifact.tools, artifact.outputs):
                names.update(dict.fromkeys(setting.tasks()))
            names.update(dict.fromkeys(filter(None, [artifact.task.get()])))
        return tuple(names)

    def decisive(self) -> Digest:
        """Digests of all that decides what is provided."""
        return {
            "dependencies": {
                f"{one.python} {layer.name}": layer.key for one in self.dependencies("") for layer in one.layers
            },
            "artifacts": self._keys(),
            "packing": str(self._fleet.dependencies.pack_wheels.get()),
        }

    def provide(self, stop: Any) -> Mapping[str, Any]:
        """Have all wheels and artifacts in the cache; the report."""
        from pipeline.adapters.dependency_layers import fetch_ahead
        from pipeline.adapters.temporary import temporary_folder

        wheels = []
        with temporary_folder("wheels") as scratch:
            for number, one in enumerate(self.dependencies("")):
                self._tell(f"dependencies from {one.source}")
                for wheel in fetch_ahead(one, Path(scratch) / str(number)):
                    wheels.append(
                        {"name": wheel.name, "version": wheel.version, "file": wheel.filename, "how": wheel.how}
                    )
                stop.check()
        self._made = self._make(stop)
        artifacts = [
            {
                "name": made.recipe.name,
                "how": made.how,
                "why": made.reason,
                "key": made.key,
                "files": made.files,
                "seconds": round(made.seconds, 3),
            }
            for made in self._made
        ]
        layers = [{"name": layer.name, "key": layer.key, "about": layer.about} for layer in self.layers("")]
        return {"wheels": wheels, "artifacts": artifacts, "layers": layers}

    # For whoever makes images.

    def layers(self, base: str) -> Sequence[DependencyLayer]:
        """All layers, in order; `base` is the base image's interpreter, `{version}` in it X.Y (empty: Debian's)."""
        from pipeline.adapters.packed_cache import packed_layer
        from pipeline.adapters.recipes import recipe_layer

        found = self.dependencies(base)
        layers = [layer for one in found for layer in one.layers]
        packed = packed_layer(found) if self._fleet.dependencies.pack_wheels.get() else None
        made = self._made or self._make(None)
        return [*layers, *([packed] if packed else []), *(recipe_layer(one) for one in made)]

    def dependencies(self, base: str) -> Sequence[Dependencies]:
        """What goes in for each of the suites' interpreters, each version once."""
        from pipeline.adapters.dependency_layers import dependency_layers

        if base not in self._by_base:
            self._by_base[base] = [dependency_layers(wish, self._around) for wish in self._wishes(base)]
        return self._by_base[base]

    def pythons(self, base: str) -> Mapping[str, str]:
        """Each suite's interpreter in the image."""
        by_version = {one.making.installation.version[:2]: one.python for one in self.dependencies(base)}
        return {suite.name: by_version[suite.interpreter.version[:2]] for suite in self._suites()}

    # The parts.

    def _wishes(self, base: str) -> Sequence[Wish]:
        from pipeline.adapters.dependency_layers import Wish

        own, images = self._fleet.dependencies, self._fleet.images
        wishes: dict[tuple[int, ...], Wish] = {}
        for suite in self._suites():
            version = suite.interpreter.version[:2]
            known = wishes.get(version)
            if known is not None and known.python != suite.interpreter.path:
                raise UsageError(
                    f"suites use two environments of Python {version[0]}.{version[1]}: {known.python!r} and {suite.interpreter.path!r}",
                    hint="images hold one environment for each version; let these suites share one",
                )
            wishes[version] = Wish(
                python=suite.interpreter.path,
                base=(base or images.python.get() or DEBIAN_PYTHON).replace("{version}", f"{version[0]}.{version[1]}"),
                folders=tuple(dict.fromkeys((Path(suite.root), self._root))),
                source=images.dependencies.get(),
                lock=own.lock.get(),
                groups=tuple(own.groups.get()) or None,
                needed=tuple(sorted({*self._wanted(suite.framework), *(known.needed if known else ())})),
                platform=images.platform.get() or _platform(),
                libc=own.libc.get(),
            )
        return list(wishes.values())

    @cached_property
    def _scratch(self) -> tempfile.TemporaryDirectory[str]:
        from pipeline.adapters.temporary import temporary_folder

        return temporary_folder("layers")

    def close(self) -> None:
        """Remove what layers were to be made of."""
        if "_scratch" in vars(self):
            self._scratch.cleanup()

    @cached_property
    def _around(self) -> Surroundings:
        from pipeline.adapters.cores import available_cores
        from pipeline.adapters.dependency_layers import Surroundings

        return Surroundings(
            root=self._root,
            cache=self._cache(),
            environment=self._fleet.environment,
            home=self._fleet.home,
            scratch=Path(self._scratch.name),
            processes=available_cores(),
            progress=self._tell,
            remembered=self._fleet.project.state_dir.get() / "interpreters",
        )

    def recipes(self) -> Sequence[Recipe]:
        """The artifacts of the settings. Raises `UsageError` for one that cannot be made."""
        return [self._recipe(name) for name in sorted(self._fleet.artifacts.names())]

    def _recipe(self, name: str) -> Recipe:
        from pipeline.model.recipes import Recipe

        told = self._fleet.artifacts[name]
        command, task, outputs = told.command.get(), told.task.get(), told.outputs.get()
        if bool(command) == bool(task):
            raise UsageError(
                f"artifact {name!r} needs either a command or a task, and has {'both' if task else 'none'}"
            )
        if not outputs:
            raise UsageError(f"artifact {name!r} has no outputs", hint=f'artifacts.{name}.outputs = ["folder"]')
        return Recipe(
            name=name,
            command=command,
            task=task,
            inputs=told.inputs.get(),
            environment=told.environment.get(),
            tools=told.tools.get(),
            outputs=outputs,
            target=told.target.get(),
            cwd=told.cwd.get(),
            timeout_seconds=told.timeout_seconds.get(),
        )

    def _keys(self) -> dict[str, str]:
        from pipeline.adapters.recipes import key_of

        return {recipe.name: key_of(recipe, self._kitchen(None)) for recipe in self.recipes()}

    def _make(self, stop: Any) -> list[Made]:
        from pipeline.adapters.recipes import key_of, make

        kitchen = self._kitchen(stop)
        return [make(recipe, kitchen, key_of(recipe, kitchen)) for recipe in self.recipes()]

    def make_one(self, recipe: Recipe) -> None:
        """Have the outputs of a recipe that is no artifact: made now, or brought back from the cache."""
        from pipeline.adapters.recipes import key_of, make

        kitchen = self._kitchen(None)
        make(recipe, kitchen, key_of(recipe, kitchen))

    def _kitchen(self, stop: Any) -> Kitchen:
        from pipeline.adapters.recipes import Kitchen

        return Kitchen(
            root=self._root,
            state=self._fleet.project.state_dir.get() / "artifacts",
            cache=self._cache(),
            environment=self._fleet.environment,
            progress=self._tell,
            stop=stop,
        )


def _platform() -> str:
    import platform

    names = {"x86_64": "amd64", "aarch64": "arm64"}
    return f"linux/{names.get(platform.machine(), platform.machine())}"
