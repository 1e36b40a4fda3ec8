"""What a project's state holds of layers does not grow for ever."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from pipeline.adapters.keyed_layers import KeyedLayers
from pipeline.model.environments import DependencyLayer
from pipeline.model.layer_entries import LayerEntry

LONG_AGO = (1000, 1000)


def source(letter: str) -> DependencyLayer:
    """A layer of one file."""

    def make(folder: Path) -> Sequence[LayerEntry]:
        return [LayerEntry(path=letter, content=letter.encode())]

    return DependencyLayer(name=letter, key=letter * 64, about=letter, make=make)


def blobs(root: Path) -> int:
    """How many layers are kept."""
    return len(list((root / "layers").glob("*/blob")))


def age(root: Path) -> None:
    """Let everything be old."""
    for path in root.rglob("*"):
        os.utime(path, LONG_AGO)


def test_what_was_not_asked_for_goes_and_what_was_stays(tmp_path: Path) -> None:
    """An unused layer goes with its key; a used one, and what is no layer's key, stays; a layer that went is made again."""
    layers = KeyedLayers(tmp_path, lambda text: None)
    old = layers.layer(source("a"))
    layers.layer(source("b"))
    layers.remember("pushed-runs", "[]")
    age(tmp_path)
    layers.layer(source("b"))

    layers.clean()

    assert blobs(tmp_path) == 1
    assert sorted(path.name for path in (tmp_path / "keys").iterdir()) == ["b" * 64, "pushed-runs"]
    with layers.content(source("a"), old)() as file:
        assert file.read()


def test_it_is_done_once_a_day_at_most(tmp_path: Path) -> None:
    """A second cleaning on the same day looks at nothing; before the first layer there is nothing to clean."""
    layers = KeyedLayers(tmp_path / "images", lambda text: None)
    layers.clean()
    assert not (tmp_path / "images").exists()
    layers.layer(source("a"))
    layers.clean()
    age(tmp_path / "images" / "layers")

    layers.clean()
    assert blobs(tmp_path / "images") == 1

    os.utime(tmp_path / "images" / "cleaned", LONG_AGO)
    layers.clean()
    assert blobs(tmp_path / "images") == 0
