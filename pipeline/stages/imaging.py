"""What the stages `base`, `image` and `push` are handed besides the agent: a registry, layers, steps, a builder.

Made by the composition root when a stage first asks. Knows no settings object and no adapter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from attrs import field, frozen

if TYPE_CHECKING:
    from pipeline.model.environments import DependencyLayer
    from pipeline.model.images import Image, Layer, Places
    from pipeline.model.layer_entries import LayerEntry
    from pipeline.ports.images import ImageBuilder, OpenContent, Registry


@frozen(kw_only=True)
class Recipe:
    """A Dockerfile that makes a step."""

    path: str
    """For people."""
    dockerfile: str = field(repr=False)
    arguments: Mapping[str, str]
    target: str
    context: Mapping[str, Path] = field(repr=False)
    """Project files that it may read, by name in the context."""
    takes_layers: bool
    """Whether it adds the archive `<step>.tar` of the step's own layers."""
    key: str
    """Digest over all of the above."""


@frozen(kw_only=True)
class Step:
    """One of the shared steps: layers of ours, or a Dockerfile in their place."""

    name: str
    """`base`, `dependencies`, `worker` or `tests`."""
    layers: tuple[DependencyLayer, ...] = ()
    recipe: Recipe | None = None

    @property
    def key(self) -> str:
        """What decides the step's outcome."""
        keys = [layer.key for layer in self.layers]
        return " ".join([*keys, self.recipe.key] if self.recipe else keys)


@frozen(kw_only=True)
class Shape:
    """All that decides the shared image, cheap enough to be asked for at every `doit`."""

    base: Image
    """The base image, wherever it is."""
    steps: tuple[Step, ...]
    changes: Mapping[str, Any]
    """Of the image's config, as `logic.image_manifests.append` takes them."""
    places: Places


class Layers(Protocol):
    """Layers by key: made once, kept on this machine."""

    def layer(self, source: DependencyLayer) -> Layer:
        """The layer, made when its key is not known. Raises `EngineError`, `UsageError`."""

    def content(self, source: DependencyLayer, layer: Layer) -> OpenContent:
        """Opens the layer's blob; makes it again when it was removed meanwhile."""

    def small(self, entries: Sequence[LayerEntry], created_by: str) -> tuple[Layer, bytes]:
        """A layer that is kept in memory, and its blob."""

    def archive(self, sources: Sequence[DependencyLayer], target: Path) -> None:
        """Write the archive of several layers, as a Dockerfile's `ADD` takes it."""

    def recall(self, key: str) -> str:
        """What was remembered under a key, or nothing."""

    def remember(self, key: str, value: str) -> None:
        """Remember a short text."""


class Imaging(Protocol):
    """Everything that images are made with."""

    @property
    def mode(self) -> str:
        """`per-worker` or `shared`."""

    @property
    def platform(self) -> str:
        """Of the images; empty: this machine's."""

    @property
    def keep_runs(self) -> int:
        """How many runs' images `sweep` leaves."""

    @property
    def repository(self) -> str:
        """`host:port/name` that images are pushed to. Raises `UsageError` when it is not set."""

    @property
    def registry(self) -> Registry:
        """All registries."""

    @property
    def layers(self) -> Layers:
        """Layers of this machine."""

    def shape(self) -> Shape:
        """What the shared image is to be, as it was when first asked for. Raises `UsageError`, `EngineError`."""

    def builder(self) -> ImageBuilder:
        """The Docker daemon. Raises `EngineError` when there is none."""

    def is_there(self, repository: str, digest: str) -> bool:
        """Whether the registry has that manifest; asked once for each."""

    def progress(self, text: str) -> None:
        """Tell a person what goes on."""


MakeImaging = Callable[[], Imaging]
