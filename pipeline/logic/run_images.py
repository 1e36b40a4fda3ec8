"""Images of a run as plain JSON, for `build/push/images.json` and its kin. No I/O."""

from __future__ import annotations

import json
from typing import Any

from attrs import asdict

from pipeline.model.images import Descriptor, Image, Layer, Places, RunImages


def to_json(images: RunImages) -> str:
    """One JSON document."""
    return json.dumps(asdict(images), indent=1, sort_keys=True)


def from_json(text: str) -> RunImages:
    """Read it. Raises `ValueError`, `KeyError` or `TypeError` for anything else."""
    told: dict[str, Any] = json.loads(text)
    places = told["places"]
    return RunImages(
        mode=str(told["mode"]),
        by_slot=tuple(str(one) for one in told["by_slot"]),
        index=str(told["index"]),
        places=Places(project=str(places["project"]), runtime=str(places["runtime"]), pythons=dict(places["pythons"])),
    )


def image_to_json(image: Image) -> dict[str, Any]:
    """An object of an image."""
    return asdict(image)


def image_from_json(told: Any) -> Image:
    """Read it. Raises `KeyError` or `TypeError` for anything else."""
    return Image(
        repository=str(told["repository"]),
        manifest=Descriptor(**told["manifest"]),
        config_blob=Descriptor(**told["config_blob"]),
        config=dict(told["config"]),
        layers=tuple(_layer(one) for one in told["layers"]),
    )


def _layer(told: Any) -> Layer:
    return Layer(blob=Descriptor(**told["blob"]), diff_id=str(told["diff_id"]), created_by=str(told["created_by"]))
