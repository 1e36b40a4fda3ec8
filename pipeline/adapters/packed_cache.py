"""The layer that lets builds inside a worker do without a network: the lock's wheels as files.

pip and uv find them through variables of the image. Knows no images.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline.adapters.dependency_layers import Dependencies, fetch_ahead
from pipeline.model.environments import DependencyLayer
from pipeline.model.layer_entries import LayerEntry, file, folder

FOLDER = "/opt/doit-fleet/cache/wheels"
FORMAT = 1
ENVIRONMENT: Mapping[str, str] = {
    "PIP_NO_INDEX": "1",
    "PIP_FIND_LINKS": FOLDER,
    "UV_OFFLINE": "1",
    "UV_NO_INDEX": "1",
    "UV_FIND_LINKS": FOLDER,
    "UV_PYTHON_DOWNLOADS": "never",
}
"""For the config of an image that has this layer."""


def packed_layer(all_dependencies: Sequence[Dependencies]) -> DependencyLayer | None:
    """Wheels of all locks, each file once; None when there is no lock."""
    locked = [one for one in all_dependencies if one.lock is not None]
    if not locked:
        return None
    told = [FORMAT, sorted(one.layers[0].key for one in locked)]

    def make(scratch: Path) -> Sequence[LayerEntry]:
        entries: dict[str, LayerEntry] = {}
        for number, one in enumerate(locked):
            for wheel in fetch_ahead(one, scratch / str(number)):
                entries[wheel.filename] = file(f"{FOLDER}/{wheel.filename}", wheel.path)
        return [folder(FOLDER), *(entries[name] for name in sorted(entries))]

    return DependencyLayer(
        name="cache",
        key=hashlib.sha256(json.dumps(told).encode()).hexdigest(),
        about="wheels for builds without a network",
        make=make,
        environment=ENVIRONMENT,
    )
