"""What images are made with, from settings to ports: registry, layers, steps, builder. Each made when a stage first asks.

The composition root's half of `stages.imaging.Imaging`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from extensions.image_steps import Steps
from extensions.registry import credentials_of, repository_in
from pipeline.errors import EngineError, UsageError

if TYPE_CHECKING:
    from extensions.agent import LocalAgent
    from pipeline.adapters.docker_builder import DockerBuilder
    from pipeline.adapters.keyed_layers import KeyedLayers
    from pipeline.adapters.registry import HttpRegistry
    from pipeline.adapters.registry_credentials import Credentials
    from pipeline.model.images import Image
    from pipeline.stages.imaging import Shape


class Imaging:
    """Images of one agent."""

    def __init__(self, agent: LocalAgent, tell: Callable[[str], None]) -> None:
        self._agent, self._tell = agent, tell
        self._fleet = agent.fleet
        self._there: dict[tuple[str, str], bool] = {}

    @property
    def mode(self) -> str:
        """`per-worker` or `shared`."""
        return str(self._fleet.images.mode.get())

    @cached_property
    def platform(self) -> str:
        """Platform of the images; empty: this machine's."""
        return str(self._fleet.images.platform.get())

    @property
    def keep_runs(self) -> int:
        """How many runs' images `sweep` leaves."""
        return int(self._fleet.images.keep_runs.get())

    @cached_property
    def repository(self) -> str:
        """`host:port/name`. Raises `UsageError` when it is not set or cannot be."""
        return repository_in(self._fleet)

    @cached_property
    def registry(self) -> HttpRegistry:
        """All registries."""
        from pipeline.adapters.registry import HttpRegistry

        settings = self._fleet.registry
        ca_file = settings.ca_file.get()
        return HttpRegistry(
            ca_file=str(ca_file) if ca_file else "",
            insecure=settings.insecure.get(),
            connections=max(1, settings.connections.get()),
            credentials=self._credentials,
        )

    @cached_property
    def _credentials(self) -> Mapping[str, Credentials]:
        return credentials_of(self._fleet)

    @cached_property
    def layers(self) -> KeyedLayers:
        """Layers of this machine."""
        from pipeline.adapters.keyed_layers import KeyedLayers

        return KeyedLayers(self._agent.state / "images", self.progress)

    @cached_property
    def _shape(self) -> Shape:
        return Steps(self._agent, self._tell).shape(self.base_image())

    def shape(self) -> Shape:
        """What the shared image is to be."""
        return self._shape

    def base_image(self) -> Image:
        """The base image, from its registry or, where only the daemon has it, by way of ours. Raises `UsageError`."""
        from pipeline.logic.repositories import default_base

        name = self._fleet.images.base.get()
        reference = name or default_base([suite.interpreter.version for suite in self._agent.suites()])
        try:
            found, reason = self.registry.resolve(reference, self.platform), "it is not in its registry"
        except EngineError as error:
            found, reason = None, error.message
        found = found or self._base_of_daemon(reference)
        if found is None:
            raise UsageError(
                f"base image {reference!r} cannot be had: {reason}"
                + ("" if name else "; it is the one used by default"),
                hint="set images.base to an image that this machine can reach",
            )
        return found

    def _base_of_daemon(self, reference: str) -> Image | None:
        """An image that only the Docker daemon has, pushed to our repository once; None when it has none, or is not there."""
        try:
            identity = self._daemon.image_id(reference)
        except EngineError:
            return None
        if not identity:
            return None
        key = hashlib.sha256(f"base {identity} {self.repository}".encode()).hexdigest()
        digest = self.layers.recall(key)
        if not digest or not self.is_there(self.repository, digest):
            self.progress(f"pushing base image {reference}, which only the Docker daemon has")
            digest = self._daemon.push(identity, self.repository, f"base-{identity[7:19]}", self.progress)
            self.layers.remember(key, digest)
        return self.registry.resolve(f"{self.repository}@{digest}", self.platform)

    @cached_property
    def _daemon(self) -> DockerBuilder:
        from pipeline.adapters.docker_builder import DockerBuilder

        return DockerBuilder(self._fleet.docker.host.get(), self._credentials)

    def builder(self) -> DockerBuilder:
        """The Docker daemon."""
        return self._daemon

    def is_there(self, repository: str, digest: str) -> bool:
        """Whether the registry has that manifest; asked once for each."""
        key = (repository, digest)
        if key not in self._there:
            self._there[key] = self.registry.has_manifest(repository, digest)
        return self._there[key]

    def progress(self, text: str) -> None:
        """Tell a person what goes on."""
        self._tell(text)

    def close(self) -> None:
        """Close connections, if any were made, and remove layers that have been of no use for long."""
        if "registry" in vars(self):
            self.registry.close()
        if "_daemon" in vars(self):
            self._daemon.close()
        if "layers" in vars(self):
            try:
                self.layers.clean()
            except OSError as error:
                self._tell(f"old layers could not be removed: {error}")
