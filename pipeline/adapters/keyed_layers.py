"""Layers by the key of what they are made of: a key that is known costs no look at any file of the layer.

`<root>/keys/<key>` holds the digests, `<root>/layers` the blobs. Several processes may use one folder.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

from attrs import asdict

from pipeline.adapters.layer_store import LayerStore
from pipeline.adapters.layer_writer import small_layer, write_archive
from pipeline.errors import EngineError
from pipeline.model.environments import DependencyLayer
from pipeline.model.images import Descriptor, Layer
from pipeline.model.layer_entries import LayerEntry
from pipeline.ports.images import OpenContent

DAY_SECONDS = 86_400.0
UNUSED_SECONDS = 30 * DAY_SECONDS
"""Layers and keys that nobody asked for so long are removed."""
KEY = re.compile("[0-9a-f]{64}")
"""What is remembered under other names stays for ever: it is no layer that can be made again."""


class KeyedLayers:
    """See `stages.imaging.Layers`. `epoch`: the time of all files in layers, seconds."""

    def __init__(self, root: Path, progress: Callable[[str], None], *, epoch: int = 0) -> None:
        self._keys = root / "keys"
        self._store = LayerStore(root / "layers")
        self._progress = progress
        self._epoch = epoch
        self._making = threading.Lock()

    def layer(self, source: DependencyLayer) -> Layer:
        """The layer, made when its key is not known. Raises `EngineError`, `UsageError`."""
        return self._recalled(source) or self._make(source)

    def content(self, source: DependencyLayer, layer: Layer) -> OpenContent:
        """Opens the layer's blob; makes it again when it was removed meanwhile."""

        def open_blob() -> BinaryIO:
            with self._making:
                if self._store.find(layer.diff_id) is None:
                    again = self._make(source)
                    if again.blob.digest != layer.blob.digest:
                        raise EngineError(
                            f"the layer {source.name!r} cannot be made again as it was",
                            hint="start again: it will be sent anew",
                        )
            return self._store.open(layer)

        return open_blob

    def small(self, entries: Sequence[LayerEntry], created_by: str) -> tuple[Layer, bytes]:
        """A layer that is kept in memory, and its blob."""
        return small_layer(entries, created_by=created_by, epoch=self._epoch)

    def archive(self, sources: Sequence[DependencyLayer], target: Path) -> None:
        """Write the archive of several layers, as a Dockerfile's `ADD` takes it; of equal paths the last stands."""
        with tempfile.TemporaryDirectory(prefix="fleet-archive-") as scratch, target.open("wb") as file:
            entries: dict[str, LayerEntry] = {}
            for number, source in enumerate(sources):
                folder = Path(scratch) / str(number)
                folder.mkdir()
                entries.update({entry.path: entry for entry in source.make(folder)})
            write_archive(entries.values(), file, epoch=self._epoch)

    def recall(self, key: str) -> str:
        """What was remembered under a key, or nothing."""
        path = self._keys / key
        try:
            text = path.read_text(encoding="utf-8")
            os.utime(path)
        except OSError:
            return ""
        return text

    def remember(self, key: str, value: str) -> None:
        """Remember a short text."""
        self._keys.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=self._keys, delete=False, encoding="utf-8") as file:
            file.write(value)
        os.replace(file.name, self._keys / key)

    def clean(self) -> None:
        """Remove what nobody has asked for in a long time; at most once a day, so that it may be called at every end."""
        horizon = time.time() - UNUSED_SECONDS
        marker = self._keys.parent / "cleaned"
        if not self._keys.is_dir() or _time_of(marker) > time.time() - DAY_SECONDS:
            return
        marker.touch()
        for folder in self._store.unused(seconds=UNUSED_SECONDS):
            shutil.rmtree(folder, ignore_errors=True)
        for path in self._keys.iterdir():
            if KEY.fullmatch(path.name) and _time_of(path) < horizon:
                path.unlink(missing_ok=True)

    def _recalled(self, source: DependencyLayer) -> Layer | None:
        try:
            told = json.loads(self.recall(source.key))
            layer = Layer(blob=Descriptor(**told["blob"]), diff_id=told["diff_id"], created_by=_created_by(source))
        except (ValueError, KeyError, TypeError):
            return None
        self._store.find(layer.diff_id)  # So that it counts as used.
        return layer

    def _make(self, source: DependencyLayer) -> Layer:
        self._progress(f"making the layer {source.name}: {source.about}")
        with tempfile.TemporaryDirectory(prefix="fleet-layer-") as scratch:
            layer = self._store.layer(source.make(Path(scratch)), created_by=_created_by(source), epoch=self._epoch)
        self.remember(source.key, json.dumps({"blob": asdict(layer.blob), "diff_id": layer.diff_id}))
        return layer


def _time_of(path: Path) -> float:
    """When it was last used; never, if it has gone."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return float("-inf")


def _created_by(source: DependencyLayer) -> str:
    return f"doit-fleet: {source.name}"  # No more: what is about may name paths of this machine.
