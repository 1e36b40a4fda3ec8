"""The shared steps of the images as the settings say: which layers, which Dockerfiles, which config. Sends and builds nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from extensions import shipping
from pipeline.errors import UsageError
from pipeline.logic.repositories import python_of
from pipeline.settings.secret import Secret

if TYPE_CHECKING:
    from extensions.agent import LocalAgent
    from pipeline.model.environments import DependencyLayer
    from pipeline.model.images import Image, Places
    from pipeline.stages.imaging import Recipe, Shape, Step

NAMES = ("base", "dependencies", "worker", "tests")
HOME = "/tmp"
"""Of containers: the one folder that can be written whatever the user and the root file system are."""
SHIPPED = {"base": "10-base", "dependencies": "20-dependencies", "worker": "30-worker", "tests": "40-tests"}
NAMED = 5
"""So many files that stay out are named."""


class Steps:
    """The steps of one agent's images."""

    def __init__(self, agent: LocalAgent, tell: Callable[[str], None]) -> None:
        self._agent, self._fleet, self._tell = agent, agent.fleet, tell

    def shape(self, base: Image) -> Shape:
        """All that decides the shared image on that base. Raises `UsageError`."""
        from pipeline.stages.imaging import Shape

        python = self._fleet.images.python.get() or python_of(base.config)
        layers = self._layers(python)
        places = self._places(python)
        return Shape(
            base=base,
            steps=tuple(self._step(name, layers[name]) for name in NAMES),
            changes=self._changes(base, places, layers),
            places=places,
        )

    def _places(self, python: str) -> Places:
        from pipeline.model.images import Places

        for suite in self._agent.suites():
            if self._agent.root not in (Path(suite.root), *Path(suite.root).parents):
                raise UsageError(
                    f"suite {suite.name!r} is at {suite.root!r}, outside the project, and cannot be in its images",
                    hint="run doit-fleet from the folder that holds all suites",
                )
        return Places(pythons=dict(self._agent.provisions.pythons(python)))

    # Layers.

    def _layers(self, python: str) -> Mapping[str, tuple[DependencyLayer, ...]]:
        return {
            "base": (),
            "dependencies": tuple(self._agent.provisions.layers(python)),
            "worker": (self._worker(),),
            "tests": (self._tests(),),
        }

    def _worker(self) -> DependencyLayer:
        from pipeline.adapters.cores import available_cores
        from pipeline.adapters.runtime_tree import runtime_layer

        found = [suite.interpreter for suite in self._agent.suites()]
        return runtime_layer(
            {".".join(map(str, one.version)): one.path for one in found},
            with_s3=str(self._fleet.store.url.get()).startswith("s3://"),
            at="/opt/doit-fleet",
            processes=available_cores(),
        )

    def _tests(self) -> DependencyLayer:
        from pipeline.adapters.project_tree import project_entries
        from pipeline.model.environments import DependencyLayer

        root, files = self._agent.root, self._files
        key = hashlib.sha256(json.dumps(["tests", 1, files], sort_keys=True).encode("utf-8", "surrogateescape"))
        return DependencyLayer(
            name="tests",
            key=key.hexdigest(),
            about=f"{len(files)} files of the project",
            make=lambda _: project_entries(root, files, "/project"),
        )

    @cached_property
    def _files(self) -> Mapping[str, str]:
        """Digest by name of the files that enter."""
        from pipeline.adapters.file_listing import globbed, matcher
        from pipeline.adapters.inputs import file_digests
        from pipeline.logic.image_contents import chosen

        images, root = self._fleet.images, self._agent.root
        known = self._agent.source_digests()
        included = globbed(str(root), images.include.get())
        own = [self._agent.state, self._agent.build]
        never = [path.relative_to(root).as_posix() for path in own if root in path.parents]
        names, secret = chosen(known, included=included, excluded=matcher(images.exclude.get()), never=never)
        if secret:
            more = f" and {len(secret) - NAMED} more" if len(secret) > NAMED else ""
            self._tell(f"left out of the images, for they look like secrets: {', '.join(secret[:NAMED])}{more}")
        names = sorted({*names, *shipping.shipped(self._agent.suites(), self._agent.framework, root)})
        return {
            **file_digests(root, [name for name in names if name not in known]),
            **{n: known[n] for n in names if n in known},
        }

    # Dockerfiles.

    def _step(self, name: str, layers: tuple[DependencyLayer, ...]) -> Step:
        from pipeline.stages.imaging import Step

        return Step(name=name, layers=layers, recipe=self._recipe(name))

    def _recipe(self, name: str) -> Recipe | None:
        settings = getattr(self._fleet.images, f"{name}_step")
        path = settings.dockerfile.get()
        if path is None and self._fleet.images.builder.get() == "docker":
            path = shipped(name)
        return None if path is None else self._read(name, settings, path)

    def _read(self, name: str, settings: Any, path: Path) -> Recipe:
        from pipeline.stages.imaging import Recipe

        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"cannot read {str(path)!r}, images.{name}_step.dockerfile: {error}") from error
        arguments = _plain(f"images.{name}_step.arguments", settings.arguments.get())
        context = self._context(settings.context.get())
        told = [text, arguments, settings.target.get(), {name: self._files[name] for name in context}]
        takes = f"{name}.tar" in text
        return Recipe(
            path=self._shown(path),
            dockerfile=text,
            arguments=arguments,
            target=settings.target.get(),
            context=context,
            takes_layers=takes,
            key=hashlib.sha256(json.dumps([*told, takes]).encode()).hexdigest(),
        )

    def _context(self, patterns: Sequence[str]) -> Mapping[str, Path]:
        from pipeline.adapters.file_listing import matcher

        wanted = matcher(patterns)
        return {name: self._agent.root / name for name in self._files if wanted.fullmatch(name)}

    def _shown(self, path: Path) -> str:
        return str(path.relative_to(self._agent.root)) if self._agent.root in path.parents else str(path)

    # The config.

    def _changes(
        self, base: Image, places: Places, layers: Mapping[str, Sequence[DependencyLayer]]
    ) -> Mapping[str, Any]:
        from pipeline.logic.image_configs import worker_config

        added = {key: value for step in layers.values() for layer in step for key, value in layer.environment.items()}
        return worker_config(
            base,
            places,
            user=self._fleet.images.user.get(),
            environment={**added, **_plain("images.environment", self._fleet.images.environment.get())},
            home=HOME,
            labels={
                "org.opencontainers.image.title": f"{self._fleet.project.name.get()} tests",
                "org.opencontainers.image.base.digest": base.manifest.digest,
                "doit-fleet.version": version("doit-fleet"),
            },
        )


def shipped(name: str) -> Path:
    """The Dockerfile that comes with doit-fleet: beside this package when installed, in the repository else."""
    installed = Path(__file__).parent / "dockerfiles"
    folder = installed if installed.is_dir() else Path(__file__).parents[1] / "dockerfiles"
    return folder / f"{SHIPPED[name]}.Dockerfile"


def _plain(name: str, values: Mapping[str, str | Secret]) -> dict[str, str]:
    secret = sorted(key for key, value in values.items() if isinstance(value, Secret))
    if secret:
        raise UsageError(
            f"setting {name!r} holds secret {secret[0]!r}, and whoever has the image could read it",
            hint="name it for a suite: suites.<name>.env",
        )
    return {key: str(value) for key, value in sorted(values.items())}
