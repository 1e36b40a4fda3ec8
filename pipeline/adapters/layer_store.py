"""Layers kept in a local folder by the digest of their archive, so that an unchanged one is not compressed again.

Versions of zlib differ in the bytes they make; what was made first stays. Several processes may use one folder.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import BinaryIO, Final

from pipeline.adapters.layer_writer import AGAIN, diff_id, write_layer
from pipeline.errors import EngineError
from pipeline.model.images import Descriptor, Layer
from pipeline.model.layer_entries import LayerEntry

BLOB: Final = "blob"
RECORD: Final = "layer.json"


class LayerStore:
    """A folder `<root>/<64 hexadecimal digits of diff_id>` for each layer; nothing is made before the first use."""

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()

    def layer(self, entries: Iterable[LayerEntry], *, created_by: str = "", epoch: int = 0) -> Layer:
        """The layer of these entries, compressed now or earlier. Raises as `write_layer` does."""
        entries = list(entries)
        wanted = diff_id(entries, epoch=epoch)
        known = self.find(wanted, created_by=created_by)
        return known or self._write(entries, wanted, created_by, epoch)

    def find(self, diff_id: str, *, created_by: str = "") -> Layer | None:
        """The layer of that digest, if its blob is there."""
        folder = self._folder(diff_id)
        try:
            record = json.loads((folder / RECORD).read_bytes())
            blob = Descriptor(**record)
            if (folder / BLOB).stat().st_size != blob.size:
                return None
            os.utime(folder / RECORD)
        except (OSError, ValueError, TypeError):
            return None
        return Layer(blob=blob, diff_id=diff_id, created_by=created_by)

    def open(self, layer: Layer) -> BinaryIO:
        """The blob from its first byte, checked by digest. Raises `EngineError`, and forgets a damaged blob."""
        path = self._folder(layer.diff_id) / BLOB
        try:
            file = path.open("rb")
        except OSError as error:
            raise EngineError(f"layer {layer.diff_id} has gone from {str(self._root)!r}", hint=AGAIN) from error
        found = hashlib.file_digest(file, "sha256").hexdigest()
        if f"sha256:{found}" != layer.blob.digest:
            file.close()
            shutil.rmtree(path.parent, ignore_errors=True)
            raise EngineError(f"layer {layer.diff_id} was damaged on disk and is now removed", hint="start again")
        file.seek(0)
        return file

    def content(self, layer: Layer) -> Callable[[], BinaryIO]:
        """Opens the blob, as `Registry.send_blob` wants it."""
        return lambda: self.open(layer)

    def unused(self, *, seconds: float) -> Sequence[Path]:
        """Folders of layers that were not asked for in that time; to be removed with `shutil.rmtree`."""
        horizon = time.time() - seconds
        unused = []
        for record in sorted(self._root.glob(f"*/{RECORD}")):
            try:
                is_old = record.stat().st_mtime < horizon
            except FileNotFoundError:
                continue  # Another process was first.
            if is_old:
                unused.append(record.parent)
        return unused

    def _write(self, entries: Sequence[LayerEntry], wanted: str, created_by: str, epoch: int) -> Layer:
        self._root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".new-", dir=self._root) as scratch:
            place = Path(scratch) / "layer"
            place.mkdir()
            with (place / BLOB).open("wb") as target:
                layer = write_layer(entries, target, created_by=created_by, epoch=epoch)
            if layer.diff_id != wanted:
                raise EngineError("files changed while a layer was made of them", hint=AGAIN)
            blob = {"media_type": layer.blob.media_type, "digest": layer.blob.digest, "size": layer.blob.size}
            (place / RECORD).write_text(json.dumps(blob), encoding="utf-8")
            self._put(place, wanted)
        return self.find(wanted, created_by=created_by) or layer

    def _put(self, place: Path, wanted: str) -> None:
        folder = self._folder(wanted)
        if self.find(wanted) is not None:
            return  # Another process was first: its bytes stay.
        shutil.rmtree(folder, ignore_errors=True)
        try:
            place.rename(folder)
        except OSError:
            if self.find(wanted) is None:
                raise

    def _folder(self, diff_id: str) -> Path:
        return self._root / diff_id.removeprefix("sha256:")
