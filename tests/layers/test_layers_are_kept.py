"""The store of layers compresses nothing twice and hands out nothing damaged."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from pipeline.adapters import layer_store
from pipeline.adapters.layer_store import LayerStore
from pipeline.adapters.layer_writer import small_layer
from pipeline.errors import EngineError
from pipeline.model.images import Layer
from pipeline.model.layer_entries import LayerEntry, file

ENTRIES = [file("a", b"1" * 9999), file("b/c", b"2")]


def test_an_unchanged_layer_is_not_compressed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Equal entries give the stored blob, whatever zlib would make of them today."""
    first = LayerStore(tmp_path).layer(ENTRIES)

    def forbidden(*_: object, **__: object) -> Layer:
        raise AssertionError("compressed again")

    monkeypatch.setattr(layer_store, "write_layer", forbidden)

    assert LayerStore(tmp_path).layer(ENTRIES[::-1]) == first == small_layer(ENTRIES)[0]


def test_a_stored_blob_is_read_whole(tmp_path: Path) -> None:
    """What is opened is the blob of that layer."""
    store = LayerStore(tmp_path)
    layer = store.layer(ENTRIES)

    with store.open(layer) as blob:
        data = blob.read()

    assert (layer, data) == small_layer(ENTRIES)
    assert gzip.decompress(data)


@pytest.mark.parametrize("damage", ["changed", "cut"])
def test_a_damaged_blob_is_never_handed_out(tmp_path: Path, damage: str) -> None:
    """Other bytes are an error and are removed; after that the layer is made anew."""
    store = LayerStore(tmp_path)
    layer = store.layer(ENTRIES)
    [blob] = tmp_path.glob("*/blob")
    data = blob.read_bytes()
    blob.write_bytes(bytes([data[0], data[1] ^ 1]) + data[2:] if damage == "changed" else data[:-1])

    with pytest.raises(EngineError, match="damaged"):
        store.open(layer)

    assert store.find(layer.diff_id) is None
    again = store.layer(ENTRIES)
    with store.open(again) as file:
        assert file.read() == data


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    """An entry that cannot be read leaves no half layer behind."""
    bad: list[LayerEntry] = [file("x", tmp_path / "absent")]

    with pytest.raises(EngineError):
        LayerStore(tmp_path / "store").layer(bad)

    assert not list((tmp_path / "store").glob("*"))


def test_unused_layers_are_told_from_used_ones(tmp_path: Path) -> None:
    """Asking for a layer counts as use."""
    store = LayerStore(tmp_path)
    old, new = store.layer(ENTRIES), store.layer([file("z", b"")])
    for record in tmp_path.glob("*/layer.json"):
        os.utime(record, (1000, 1000))
    store.find(new.diff_id)

    assert [path.name for path in store.unused(seconds=60)] == [old.diff_id.removeprefix("sha256:")]
