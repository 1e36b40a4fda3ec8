"""A layer's bytes depend on its entries and on nothing else."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.adapters.layer_trees import tree_entries
from pipeline.adapters.layer_writer import diff_id, small_layer, write_layer
from pipeline.errors import EngineError, UsageError
from pipeline.model.layer_entries import LayerEntry, file, folder, symlink
from tests.layers.trees import archive, as_read, read_back, some_entries


@given(some_entries(), st.randoms(use_true_random=False))
def test_the_order_of_entries_does_not_matter(entries: list[LayerEntry], chance: random.Random) -> None:
    """Any permutation gives the same blob and the same digests."""
    before = small_layer(entries)
    chance.shuffle(entries)

    assert small_layer(entries) == before


@given(some_entries())
def test_every_entry_is_read_back_as_it_was_given(entries: list[LayerEntry]) -> None:
    """Long and foreign names, links and modes survive, as another reader sees them; parents come first, once."""
    data = archive(entries)
    found = read_back(data)

    assert {entry.path: found[entry.path] for entry in entries} == {entry.path: as_read(entry) for entry in entries}
    assert {parent for path in found if (parent := os.path.dirname(path))} <= set(found)
    assert list(found) == sorted(found, key=os.fsencode)


@given(some_entries())
def test_digests_are_those_of_the_bytes(entries: list[LayerEntry]) -> None:
    """`diff_id` is the digest of the archive, the blob's digest that of the gzipped one."""
    layer, blob = small_layer(entries)

    assert layer.blob.digest == f"sha256:{hashlib.sha256(blob).hexdigest()}"
    assert layer.blob.size == len(blob)
    assert gzip.decompress(blob) == archive(entries)
    assert layer.diff_id == f"sha256:{hashlib.sha256(archive(entries)).hexdigest()}" == diff_id(entries)


def test_the_gzip_header_names_neither_time_nor_file_nor_system() -> None:
    """Ten fixed bytes."""
    assert small_layer([])[1][:10] == bytes.fromhex("1f8b08000000000000ff")


def test_times_umask_order_and_place_of_a_folder_do_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two folders of the same content, made in another order under another umask, give one digest from any cwd."""
    digests = []
    for number, umask in enumerate((0o022, 0o077)):
        root = tmp_path / str(number)
        old = os.umask(umask)
        try:
            root.mkdir()
            for name in sorted("abc", reverse=bool(number)):
                (root / name).mkdir()
                (root / name / "é.py").write_text(name, encoding="utf-8")
                os.utime(root / name / "é.py", (number * 1000, number * 1000))
            (root / "run").write_text("#!/bin/sh\n", encoding="utf-8")
            (root / "run").chmod((root / "run").stat().st_mode | 0o100)
            (root / "link").symlink_to("a/é.py")
        finally:
            os.umask(old)
        monkeypatch.chdir(root)
        digests.append(small_layer(tree_entries(Path("../") / str(number), "/project"))[0])

    assert digests[0] == digests[1]


def test_a_hard_link_is_a_file_of_its_own(tmp_path: Path) -> None:
    """Two names of one inode are two whole files, as on a machine where they are not linked."""
    (tmp_path / "a").write_bytes(b"same")
    os.link(tmp_path / "a", tmp_path / "b")

    found = read_back(archive(list(tree_entries(tmp_path, "p"))))

    assert (found["p/a"], found["p/b"]) == (("file", b"same", 0o664, 65532, 0),) * 2


def test_parents_of_the_base_image_keep_their_owner() -> None:
    """`/opt` and the like are not given to the worker's user; what is below them is."""
    found = read_back(archive([file("opt/project/x", b"")]))

    assert found["opt"][2:] == (0o755, 0, 0)
    assert found["opt/project"][2:] == (0o775, 65532, 0)


def test_names_that_are_no_utf8_survive(tmp_path: Path) -> None:
    """A name of raw bytes comes back as the same bytes."""
    name = os.fsdecode(b"caf\xe9")
    found = read_back(archive([file(f"p/{name}", b"1")]))

    assert f"p/{name}" in found


def test_a_file_that_grows_while_it_is_read_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither its old nor its new content may be in a layer."""
    path = tmp_path / "log"
    path.write_bytes(b"1" * 100)
    read = os.read

    def read_and_grow(handle: int, size: int) -> bytes:
        data = read(handle, size)
        with path.open("ab") as log:
            log.write(b"2")
        return data

    monkeypatch.setattr(os, "read", read_and_grow)

    with pytest.raises(EngineError, match="changed while it was read"):
        write_layer([file("log", path)], io.BytesIO())


def test_a_file_that_shrinks_while_it_is_read_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An archive never lacks bytes its header promised."""
    path = tmp_path / "log"
    path.write_bytes(b"1" * 100)
    monkeypatch.setattr(os, "read", lambda handle, size: b"")

    with pytest.raises(EngineError, match="changed while it was read"):
        write_layer([file("log", path)], io.BytesIO())


def test_what_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    """A pipe is named, not waited for; a link behind a path is not followed."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/etc/passwd")

    with pytest.raises(UsageError, match="pipe"):
        write_layer([file("p", tmp_path / "pipe")], io.BytesIO())
    with pytest.raises(EngineError, match="link"):
        write_layer([file("p", tmp_path / "link")], io.BytesIO())
    with pytest.raises(UsageError, match="pipe"):
        list(tree_entries(tmp_path, "p"))


@pytest.mark.parametrize("path", ["../x", "a/../x", "", "/", "a//b", "a/./b", "a\0b"])
def test_a_path_that_leads_out_is_refused(path: str) -> None:
    """An entry is below the root of the image, and says so plainly."""
    with pytest.raises(UsageError, match="cannot be in a layer"):
        file(path, b"")


def test_entries_that_contradict_each_other_are_refused() -> None:
    """One path is one entry; nothing lies below a file or a link."""
    with pytest.raises(UsageError, match="two entries"):
        small_layer([file("a", b""), folder("/a/")])
    with pytest.raises(UsageError, match="no directory"):
        small_layer([symlink("a", "/etc"), file("a/b/c", b"")])
