"""What a directory store says and does about full disks, forbidden places, strange content and other versions."""

from __future__ import annotations

import asyncio
import errno
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.adapters import directory_files, directory_format, directory_journal
from pipeline.adapters.directory_store import DirectoryStore
from pipeline.errors import StoreDamaged, StoreUnavailable, UsageError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Where the store is."""
    return tmp_path / "store"


@pytest.fixture
def store(root: Path) -> DirectoryStore:
    """A store that has been used."""
    store = DirectoryStore(root, fsync=False)
    asyncio.run(store.create("runs/1/plan", b"p"))
    return store


@pytest.fixture
def full_disk(store: DirectoryStore, root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Writes fail half way while the reserve exists."""

    def write_at(descriptor: int, data: bytes, offset: int) -> None:
        full = (root / "~reserve").exists()
        os.pwrite(descriptor, data[: len(data) // 2] if full else data, offset)
        if full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(directory_files, "write_at", write_at)
        patch.setattr(directory_journal, "write_at", write_at)
        yield


def _refused(call: int) -> Any:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(call, os.strerror(call))

    return refuse


def test_a_full_disk_is_said_and_leaves_no_rest(store: DirectoryStore, root: Path, full_disk: None) -> None:
    """An ordinary value does not get the reserve; neither half a value nor a temporary file stays."""
    with pytest.raises(StoreUnavailable, match="'runs/1/claims/0/1.1': the disk is full"):
        asyncio.run(store.create("runs/1/claims/0/1.1", b"c"))

    assert asyncio.run(store.read("runs/1/claims/0/1.1")) is None
    assert (root / "~reserve").exists()
    assert os.listdir(root / "~tmp") == []


@pytest.mark.parametrize("key", ["runs/1/tombs/w", "runs/1/ending", "runs/1/closed"])
def test_what_ends_a_run_is_written_on_a_full_disk(
    store: DirectoryStore, root: Path, full_disk: None, key: str
) -> None:
    """Tombstones and closing free the reserve."""
    assert asyncio.run(store.create(key, b"t"))
    assert asyncio.run(store.read(key)) == b"t"
    assert not (root / "~reserve").exists()


def test_a_used_reserve_is_filled_again(store: DirectoryStore, root: Path) -> None:
    """The next opening for writing finds space for the next full disk."""
    (root / "~reserve").unlink()
    asyncio.run(DirectoryStore(root, fsync=False).create("runs/2/plan", b""))

    assert (root / "~reserve").stat().st_size == directory_format.RESERVE_BYTES


def test_a_journal_can_be_sealed_on_a_full_disk(store: DirectoryStore, root: Path, full_disk: None) -> None:
    """Records fail, the seal does not; a half-written record does not count."""
    journal = store.journal("runs/1/journal/w")
    journal.append(b"record")
    with pytest.raises(StoreUnavailable, match="the disk is full"):
        asyncio.run(journal.flush())
    position = asyncio.run(journal.seal())

    assert list(asyncio.run(journal.read(position))) == []


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.EPERM])
def test_a_place_that_cannot_be_written_is_a_matter_of_settings(
    root: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Exit 3 and the setting's name, when the store cannot even be opened."""
    with monkeypatch.context() as patch:
        patch.setattr(os, "makedirs", _refused(number))
        with pytest.raises(UsageError, match=r"cannot be used.*\n.*store\.url="):
            asyncio.run(DirectoryStore(root).create("k", b""))


def test_a_store_that_turns_read_only_is_unavailable(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A volume remounted in the middle of a run is trouble of the store, not of the settings."""
    with monkeypatch.context() as patch:
        patch.setattr(directory_files, "write_at", _refused(errno.EROFS))
        with pytest.raises(StoreUnavailable, match="not allowed any more"):
            asyncio.run(store.create("k", b""))


def test_a_file_system_without_links_is_refused(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without links nothing appears whole; the message says what to do."""
    with monkeypatch.context() as patch:
        patch.setattr(os, "link", _refused(errno.EOPNOTSUPP))
        with pytest.raises(UsageError, match="no hard links"):
            asyncio.run(store.create("k", b""))


@pytest.mark.parametrize("number", [errno.EEXIST, errno.EIO])
def test_a_link_that_was_made_counts_whatever_its_answer(
    store: DirectoryStore, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """A network file system that sends a request twice says "exists" of the caller's own link; the link count knows."""
    link = os.link

    def lying(path: str, target: str) -> None:
        link(path, target)
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, "link", lying)
        created = asyncio.run(store.create("k", b"mine"))

    assert created
    assert asyncio.run(store.read("k")) == b"mine"
    assert not asyncio.run(store.create("k", b"other"))


def test_reading_makes_nothing(root: Path) -> None:
    """Commands that inform leave a project without a store as it is, and read a store that cannot be written."""
    store = DirectoryStore(root)

    async def read_all() -> list[object]:
        journal = store.journal("j")
        return [await store.read("k"), await store.list(""), await store.delete("x"), await journal.read()]

    assert asyncio.run(read_all()) == [None, [], 0, []]
    assert not root.exists()


def test_another_versions_store_is_refused_with_a_way_out(store: DirectoryStore, root: Path) -> None:
    """Neither read nor written; the message names both versions and what can be done."""
    (root / "~store").write_text("doit-fleet store 2\n")

    for call in (DirectoryStore(root).read("runs/1/plan"), DirectoryStore(root).create("k", b"")):
        with pytest.raises(StoreDamaged, match=r"format 2, this doit-fleet writes format 1\n.*store\.url="):
            asyncio.run(call)
    (root / "~store").write_text("what?")
    with pytest.raises(StoreDamaged, match="marker"):
        asyncio.run(DirectoryStore(root).list(""))
    assert (root / "runs/1/plan").read_bytes() == b"p"


def test_a_folder_with_other_content_is_not_taken_over(root: Path) -> None:
    """A path given by mistake is left untouched."""
    root.mkdir()
    (root / "thesis.txt").write_text("mine")

    for call in (DirectoryStore(root).create("k", b""), DirectoryStore(root).delete("thesis")):
        with pytest.raises(UsageError, match="not a store and not empty"):
            asyncio.run(call)
    assert os.listdir(root) == ["thesis.txt"]


def test_a_key_cannot_be_value_and_folder(store: DirectoryStore) -> None:
    """The mixture that a directory cannot hold is refused, whichever comes first."""
    for call in (
        store.create("runs/1", b""),
        store.replace("runs/1", b""),
        store.create("runs/1/plan/x", b""),
    ):
        with pytest.raises(UsageError, match="a value and a folder at once"):
            asyncio.run(call)


def test_rests_of_dead_writers_are_never_listed_and_swept_when_old(
    store: DirectoryStore, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A temporary file of an hour ago goes at the next opening; a fresh one may be a living writer's."""
    (root / "~tmp" / "~dead").write_bytes(b"half")

    assert [entry.key for entry in asyncio.run(store.list(""))] == ["runs/1/plan"]
    asyncio.run(DirectoryStore(root, fsync=False).create("runs/2/plan", b""))
    assert (root / "~tmp" / "~dead").exists()

    monkeypatch.setattr(directory_files, "_STALE_SECONDS", -1.0)
    asyncio.run(DirectoryStore(root, fsync=False).create("runs/3/plan", b""))
    assert os.listdir(root / "~tmp") == []


def test_a_store_removed_under_a_writer_is_unavailable_then_made_anew(store: DirectoryStore, root: Path) -> None:
    """Somebody cleans the project while a run goes on: told once, and the next write finds a whole store again."""
    for path in sorted(root.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    root.rmdir()

    with pytest.raises(StoreUnavailable, match="vanished"):
        asyncio.run(store.create("k", b"1"))
    assert asyncio.run(store.create("k", b"1"))
    assert (root / "~store").exists()


def test_deletion_leaves_no_empty_folders(store: DirectoryStore, root: Path) -> None:
    """A deleted run leaves nothing but the store itself."""
    asyncio.run(store.delete("runs/1/"))

    assert sorted(os.listdir(root)) == ["~reserve", "~store", "~tmp"]


def test_a_damaged_journal_is_an_error_for_readers_sealers_and_writers(store: DirectoryStore, root: Path) -> None:
    """Bad bytes before good ones of a later flush are told, with the place."""
    journal = store.journal("j")
    for record in (b"one", b"two"):
        journal.append(record)
        asyncio.run(journal.flush())
    path = root / "j" / "records"
    path.write_bytes(b"\0" + path.read_bytes()[1:])
    other = store.journal("j")
    other.append(b"x")

    for call in (other.read(), other.flush(), other.seal()):
        with pytest.raises(StoreDamaged, match="'j' is damaged: bytes from 0 on are bad"):
            asyncio.run(call)


def test_a_journal_shorter_than_its_seal_is_damaged(store: DirectoryStore, root: Path) -> None:
    """Records that a seal promised and a power cut took are an error, not silence."""
    journal = store.journal("j")
    journal.append(b"one")
    asyncio.run(journal.flush())
    position = asyncio.run(journal.seal())
    (root / "j" / "records").write_bytes(b"")

    with pytest.raises(StoreDamaged, match="no record ends at its seal"):
        asyncio.run(journal.read(position))


def test_a_torn_tail_is_overwritten_by_the_next_writer(store: DirectoryStore, root: Path) -> None:
    """What a dead writer's last write left neither counts nor spoils what follows."""
    first = store.journal("j")
    first.append(b"one")
    asyncio.run(first.flush())
    with open(root / "j" / "records", "ab") as file:
        file.write(b"\xf1Jtorn" * 20)
    second = store.journal("j")
    second.append(b"two")
    asyncio.run(second.flush())

    assert list(asyncio.run(store.journal("j").read())) == [b"one", b"two"]


def test_forty_thousand_records_are_quick(store: DirectoryStore) -> None:
    """Journalling is no part of a run's time: 40,000 records in 40 flushes, far below a second."""
    journal = store.journal("j")
    begin = time.perf_counter()
    for number in range(40_000):
        journal.append(b"x" * 200)
        if number % 1000 == 999:
            asyncio.run(journal.flush())
    assert time.perf_counter() - begin < 0.9
    assert len(asyncio.run(journal.read())) == 40_000
