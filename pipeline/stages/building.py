"""How the shared image grows from its base, step by step: layers of ours are gathered and appended at once, a Dockerfile is built
on what stands so far.

Knows ports only; `stages.base` says what is to be built.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from pipeline.errors import EngineError
from pipeline.logic.image_manifests import append
from pipeline.ports.images import OutgoingImage

if TYPE_CHECKING:
    from pipeline.model.environments import DependencyLayer
    from pipeline.model.images import Descriptor, Image, Layer
    from pipeline.stages.imaging import Imaging, Recipe, Step

AT_ONCE = 4
"""Layers of a base from elsewhere that are copied at a time."""


class Building:
    """One shared image under way."""

    def __init__(self, imaging: Imaging, base: Image) -> None:
        self._imaging = imaging
        self._image = base
        self._waiting: list[tuple[DependencyLayer, Layer]] = []

    def build(self, steps: Sequence[Step], changes: Mapping[str, Any]) -> Image:
        """Take all steps; the image with its config, in our repository. Raises `EngineError`, `UsageError`."""
        for step in steps:
            if step.recipe is None:
                self._waiting += [(source, self._imaging.layers.layer(source)) for source in step.layers]
            else:
                self._image = self._built(step, step.recipe)
        self._settle(changes)
        return self._image

    def _settle(self, changes: Mapping[str, Any]) -> None:
        """Send what has been gathered, as an image on what stands so far."""
        repository, image = self._imaging.repository, self._image
        if image.repository == repository and not self._waiting and not changes:
            return
        if image.repository != repository:
            self._bring(image, repository)
        made = append(image, [layer for _, layer in self._waiting], changes, repository=repository)
        contents = {layer.blob.digest: self._imaging.layers.content(source, layer) for source, layer in self._waiting}
        sent = self._imaging.registry.send_images([OutgoingImage(made=made, contents=contents)], lambda _: None)
        self._imaging.progress(f"shared image {made.image.reference}: {sent:,} bytes sent")
        self._image, self._waiting = made.image, []

    def _bring(self, image: Image, repository: str) -> None:
        """Copy a base from another repository, once: mounted on the same host, else through this machine's disk."""
        host = repository.partition("/")[0]
        origin = image.repository if image.repository.partition("/")[0] == host else ""

        def bring(layer: Layer) -> int:
            opener = self._opener(image.repository, layer.blob)
            return self._imaging.registry.send_blob(repository, layer.blob, opener, origin=origin)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            sent = sum(pool.map(bring, image.layers))
        if sent:
            self._imaging.progress(f"copied base image {image.reference}: {sent:,} bytes")

    def _opener(self, repository: str, blob: Descriptor) -> Callable[[], BinaryIO]:
        def fetch() -> BinaryIO:
            self._imaging.progress(f"fetching {blob.size:,} bytes of the base image from {repository}")
            with tempfile.TemporaryDirectory(prefix="fleet-blob-") as scratch:
                path = Path(scratch) / "blob"
                self._imaging.registry.fetch_blob(repository, blob, path)
                return path.open("rb")  # Lives on without its name until it is closed.

        return fetch

    def _built(self, step: Step, recipe: Recipe) -> Image:
        self._settle({})
        key = self._key(recipe)
        known = self._imaging.layers.recall(key)
        if known and self._imaging.is_there(self._imaging.repository, known):
            found = self._imaging.registry.resolve(f"{self._imaging.repository}@{known}", self._imaging.platform)
            if found is not None:
                return found
        digest = self._build(step, recipe)
        found = self._imaging.registry.resolve(f"{self._imaging.repository}@{digest}", self._imaging.platform)
        if found is None:
            raise EngineError(
                f"the Docker daemon pushed the image of {recipe.path!r}, but the registry does not have it",
                hint="does the daemon push to the same registry as we do?",
            )
        self._imaging.layers.remember(key, digest)
        return found

    def _key(self, recipe: Recipe) -> str:
        told = [self._image.manifest.digest, recipe.key, self._imaging.platform, self._imaging.repository]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()

    def _build(self, step: Step, recipe: Recipe) -> str:
        with tempfile.TemporaryDirectory(prefix="fleet-context-") as scratch:
            context: dict[str, bytes | Path] = dict(recipe.context)
            if recipe.takes_layers:
                archive = Path(scratch) / f"{step.name}.tar"
                self._imaging.layers.archive(step.layers, archive)
                context[archive.name] = archive
            builder = self._imaging.builder()
            self._imaging.progress(f"building {recipe.path} on {self._image.reference}")
            image = builder.build(
                dockerfile=recipe.dockerfile,
                context=context,
                arguments={**recipe.arguments, "BASE": self._image.reference},
                platform=self._imaging.platform,
                target=recipe.target,
                labels={"doit-fleet.step": step.name},
                progress=self._imaging.progress,
            )
        return builder.push(image, self._imaging.repository, f"step-{step.name}", self._imaging.progress)
