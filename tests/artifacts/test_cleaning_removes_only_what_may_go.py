"""Clean-up goes by last use and size, spares what live processes need, and leaves no record without its content."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.adapters.artifact_cache import TieredCache
from pipeline.adapters.artifact_cleaning import Cleaner, Keeping
from pipeline.adapters.artifact_folder import ArtifactFolder
from pipeline.adapters.artifact_index import ArtifactIndex
from pipeline.contracts.artifact_cache_contract import kept, key_of
from pipeline.ports.artifacts import ActionRecord

DAY = 86_400.0
FOREVER = 10_000 * DAY


def keeping(*, fetched: float = 30.0, produced: float = 7.0, max_bytes: int = 2**40) -> Keeping:
    """What may stay, in days."""
    return Keeping(seconds={"fetched": fetched * DAY, "produced": produced * DAY}, max_bytes=max_bytes)


def cleaner(folder: Path) -> Cleaner:
    """Of that cache."""
    return Cleaner(ArtifactFolder.at(folder), ArtifactIndex(str(folder)))


def filled(
    folder: Path, scratch: Path, name: str, *, data: bytes = b"", days: float = 0.0, kind: str = "produced"
) -> str:
    """A record that was last used so many days ago; its key."""
    kept(TieredCache(folder), key_of(name), {"x": data or name.encode()}, scratch, kind=kind, about=name)
    age(folder, days)
    return key_of(name)


def age(folder: Path, days: float) -> None:
    """Make everything in the cache older."""
    import sqlite3
    from contextlib import closing

    for path in folder.rglob("*"):
        if path.is_file() and path.parts[-2] != "leases" and path.name != "lock" and "index" not in path.name:
            before = path.stat().st_mtime
            os.utime(path, (before - days * DAY, before - days * DAY))
    with closing(sqlite3.connect(folder / "index.db")) as base, base:
        base.execute("UPDATE records SET used = used - ?", (days * DAY,))


def found(folder: Path, *names: str) -> list[str]:
    """Which of these can be had whole."""
    cache = TieredCache(folder)
    records = {name: cache.find(key_of(name)) for name in names}
    have = [name for name, record in records.items() if record is not None and cache.file(record.outputs["x"])]
    cache.close()
    return have


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty cache."""
    return tmp_path / "cache"


def test_each_kind_has_its_own_age(folder: Path, tmp_path: Path) -> None:
    """What was produced goes after 7 days unused, what can be fetched again after 30."""
    filled(folder, tmp_path, "old fetched", days=21, kind="fetched")
    filled(folder, tmp_path, "fetched", days=2, kind="fetched")
    filled(folder, tmp_path, "old produced", days=6)
    filled(folder, tmp_path, "produced", days=3)

    removal = cleaner(folder).clean(keeping())

    assert found(folder, "old fetched", "fetched", "old produced", "produced") == ["fetched", "produced"]
    assert len(removal.records) == 2
    assert removal.content == 2
    assert removal.size == len("old fetched") + len("old produced")


def test_a_use_keeps_it(folder: Path, tmp_path: Path) -> None:
    """What was looked up lately stays, however old it is."""
    filled(folder, tmp_path, "used", days=20)
    assert found(folder, "used") == ["used"]

    assert not cleaner(folder).clean(keeping()).records


def test_a_lost_index_loses_nothing(folder: Path, tmp_path: Path) -> None:
    """Without it the files' own times count; a damaged one is put aside."""
    filled(folder, tmp_path, "old", days=20)
    filled(folder, tmp_path, "new")
    (folder / "index.db").write_bytes(b"this is no database, whatever its name says" * 100)
    for name in ("index.db-wal", "index.db-shm"):
        (folder / name).unlink(missing_ok=True)

    cleaner(folder).clean(keeping())

    assert found(folder, "old", "new") == ["new"]
    assert cleaner(folder).is_due(DAY) is False


def test_beyond_its_size_goes_what_was_used_longest_ago(folder: Path, tmp_path: Path) -> None:
    """Until the rest fits, and no further."""
    for name in "abcd":
        filled(folder, tmp_path, name, data=name.encode() * 1000, days=1)

    removal = cleaner(folder).clean(keeping(max_bytes=2500))

    assert found(folder, *"abcd") == ["c", "d"]
    assert removal.size == 2000


def test_shared_content_stays_while_anything_names_it(folder: Path, tmp_path: Path) -> None:
    """One of two records goes; the content is the other's too."""
    filled(folder, tmp_path, "old", data=b"same", days=20)
    filled(folder, tmp_path, "new", data=b"same")

    removal = cleaner(folder).clean(keeping())

    assert (len(removal.records), removal.content) == (1, 0)
    assert found(folder, "old", "new") == ["new"]


def test_content_without_a_record_has_a_day(folder: Path, tmp_path: Path) -> None:
    """It may be waiting for its record; later nobody will come for it."""
    (tmp_path / "x").write_bytes(b"orphan")
    files = ArtifactFolder.at(folder).content
    output = files.add(tmp_path / "x")

    assert cleaner(folder).clean(keeping()).content == 0
    os.utime(files.path(output.sha256), (time.time() - 2 * DAY,) * 2)
    assert cleaner(folder).clean(keeping()).content == 1
    assert not files.has(output)


def test_drafts_and_unreadable_records_go(folder: Path, tmp_path: Path) -> None:
    """What dead writers and bad disks left."""
    filled(folder, tmp_path, "a")
    draft = folder / "tmp" / "~1.dead"
    draft.write_bytes(b"half")
    os.utime(draft, (0, 0))
    (path,) = (folder / "ac").rglob("*.json")
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-10])

    removal = cleaner(folder).clean(keeping())

    assert list(removal.records.values()) == ["unreadable"]
    assert not draft.exists()
    assert not path.exists()


def test_a_dry_run_says_the_same_and_touches_nothing(folder: Path, tmp_path: Path) -> None:
    """Not even the date of the last cleaning."""
    filled(folder, tmp_path, "old", days=20)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if "index" not in path.name}

    said = cleaner(folder).clean(keeping(), dry=True)

    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*") if "index" not in path.name} == before
    assert cleaner(folder).is_due(DAY)
    assert cleaner(folder).clean(keeping()) == said
    assert not cleaner(folder).is_due(DAY)


HOLDING = """
import sys
from pipeline.adapters.artifact_cache import TieredCache
cache = TieredCache(sys.argv[1])
assert cache.find(sys.argv[2])
print("here", flush=True)
sys.stdin.read()
"""


@contextmanager
def holding(folder: Path, key: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that has found a record and goes on."""
    arguments = [sys.executable, "-c", HOLDING, str(folder), key]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"here\n"
        yield process
        process.kill()


def test_what_a_live_process_needs_stays(folder: Path, tmp_path: Path) -> None:
    """However old and large it is; once that process is dead, by whatever death, it goes."""
    key = filled(folder, tmp_path, "needed", days=20)
    filled(folder, tmp_path, "other", days=20)
    with holding(folder, key):
        removal = cleaner(folder).clean(keeping(max_bytes=0))
        assert [name.partition("/")[2] for name in removal.records] == [key_of("other")]
        assert ArtifactFolder.at(folder).find("trusted", key).__class__ is ActionRecord

    assert list(cleaner(folder).clean(keeping(max_bytes=0)).records) == [f"trusted/{key}"]
    assert list((folder / "leases").iterdir()) == []


def test_what_this_process_holds_stays_until_it_closes(folder: Path, tmp_path: Path) -> None:
    """The same within one process, as when a run cleans at its end."""
    key = filled(folder, tmp_path, "needed", days=20)
    cache = TieredCache(folder)
    record = cache.find(key)
    assert record is not None

    assert not cleaner(folder).clean(keeping(max_bytes=0)).records
    assert cache.file(record.outputs["x"]).read_bytes() == b"needed"
    cache.close()
    assert cleaner(folder).clean(keeping(max_bytes=0)).records


def test_an_absent_cache_is_never_due(folder: Path) -> None:
    """There is nothing to clean, and cleaning makes nothing."""
    assert not cleaner(folder).is_due(0.0)
    assert cleaner(folder).clean(keeping()).records == {}
    assert not folder.exists()
