"""Whatever happened to its folder, a cache gives the right bytes or none, and the next maker heals it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.adapters.artifact_cache import TieredCache
from pipeline.contracts.artifact_cache_contract import kept, key_of
from pipeline.ports.artifacts import ArtifactGone
from tests.artifacts.views import last_answers
from tests.engines import only_outside_pods

KEY = key_of("1")
DATA = b"right" * 50_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A cache with one record."""
    kept(TieredCache(tmp_path / "cache"), KEY, {"a.whl": DATA}, tmp_path, kind="fetched", about="a 1.0")
    return tmp_path / "cache"


def content(folder: Path) -> Path:
    """The one file of content."""
    (path,) = (path for path in (folder / "cas").rglob("*") if path.is_file())
    return path


def record(folder: Path) -> Path:
    """The one record."""
    (path,) = (folder / "ac").rglob("*.json")
    return path


def flip(path: Path, position: int) -> None:
    """Make one bit another one, in place."""
    os.chmod(path, 0o644)
    with path.open("r+b") as file:
        file.seek(position)
        (byte,) = file.read(1)
        file.seek(position)
        file.write(bytes([byte ^ 1]))


def heals(folder: Path, tmp_path: Path) -> bool:
    """Whether keeping it again makes all good."""
    made = kept(TieredCache(folder), KEY, {"a.whl": DATA}, tmp_path, kind="fetched", about="a 1.0")
    cache = TieredCache(folder)
    return cache.find(KEY) == made and cache.file(made.outputs["a.whl"]).read_bytes() == DATA


def test_a_flipped_bit_is_found_at_the_read_and_removed(folder: Path, tmp_path: Path) -> None:
    """Wrong bytes are never handed out, people are told, and the next look-up says what is missing."""
    flip(content(folder), 1234)
    told: list[str] = []
    cache = TieredCache(folder, tell=told.append)
    found = cache.find(KEY)
    assert found is not None

    with pytest.raises(ArtifactGone):
        cache.file(found.outputs["a.whl"])
    with pytest.raises(ArtifactGone):
        cache.place(found.outputs["a.whl"], tmp_path / "copy")
    again = cache.find(KEY)
    cache.close()

    assert again is None
    assert "wrong bytes" in told[0]
    assert "miss: content missing" in last_answers(folder)
    assert heals(folder, tmp_path)


def test_a_user_who_changes_what_was_handed_out_harms_nobody_else(folder: Path, tmp_path: Path) -> None:
    """The file is read-only; who writes to it all the same is found out at the next read."""
    cache = TieredCache(folder)
    found = cache.find(KEY)
    assert found is not None
    path = cache.file(found.outputs["a.whl"])
    assert path.stat().st_mode & 0o222 == 0

    flip(path, 0)

    with pytest.raises(ArtifactGone):
        TieredCache(folder).file(found.outputs["a.whl"])
    assert heals(folder, tmp_path)


def test_content_of_another_size_is_a_miss_at_once(folder: Path, tmp_path: Path) -> None:
    """What a power cut left empty is no artifact."""
    path = content(folder)
    path.chmod(0o644)
    path.write_bytes(b"")

    assert TieredCache(folder).find(KEY) is None
    assert heals(folder, tmp_path)


@pytest.mark.parametrize("length", [0, 1, 40, -1])
def test_a_truncated_record_is_a_miss(folder: Path, tmp_path: Path, length: int) -> None:
    """Half a record says nothing."""
    path = record(folder)
    whole = path.read_bytes()
    path.unlink()
    path.write_bytes(whole[:length])
    cache = TieredCache(folder)

    assert cache.find(KEY) is None
    cache.close()
    assert last_answers(folder) == ["miss: record unreadable"]
    assert heals(folder, tmp_path)


def test_no_flipped_bit_of_a_record_goes_unnoticed(folder: Path) -> None:
    """Each byte of a record counts: a path or mode that changed is as wrong as content that did."""
    path = record(folder)
    whole = path.read_bytes()
    for position in range(len(whole)):
        flip(path, position)
        assert TieredCache(folder).find(KEY) is None
        flip(path, position)
    assert TieredCache(folder).find(KEY) is not None


def test_a_record_of_another_key_is_none_of_this(folder: Path) -> None:
    """A copied record does not answer for the place it was copied to."""
    other = key_of("2")
    target = folder / "ac" / "trusted" / other[:2] / f"{other}.json"
    target.parent.mkdir(exist_ok=True)
    shutil.copy(record(folder), target)

    assert TieredCache(folder).find(other) is None


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: os.symlink("/dev/zero", path)])
@pytest.mark.parametrize("which", [content, record])
def test_what_is_no_file_is_neither_read_nor_waited_for(
    folder: Path, which: Callable[[Path], Path], make: Callable[[Path], None]
) -> None:
    """A fifo, folder or device in the place of a file is a miss."""
    path = which(folder)
    path.unlink()
    make(path)

    assert TieredCache(folder).find(KEY) is None


KEEPING = """
import sys
from pathlib import Path
from pipeline.adapters import artifact_files, artifact_folder
from pipeline.adapters.artifact_cache import TieredCache
step, folder, source, key = sys.argv[1:]

def stop(*arguments, **named):
    print("here", flush=True)
    sys.stdin.read()

if step == "writing":
    artifact_files.Draft.write = stop
elif step == "content":
    artifact_files.finish = stop
elif step == "record":
    artifact_folder.finish = stop
TieredCache(folder).keep(key, {"a": Path(source)}, kind="produced", about="")
"""


@pytest.mark.parametrize("step", ["writing", "content", "record"])
def test_a_killed_writer_leaves_nothing_that_counts(tmp_path: Path, step: str) -> None:
    """SIGKILL before content, between content and record, or before the record is in place: a miss, and no harm."""
    (tmp_path / "source").write_bytes(DATA)
    arguments = [sys.executable, "-c", KEEPING, step, str(tmp_path / "cache"), str(tmp_path / "source"), KEY]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"here\n"
        process.send_signal(signal.SIGKILL)

    assert TieredCache(tmp_path / "cache").find(KEY) is None
    assert heals(tmp_path / "cache", tmp_path)


RACING = """
import sys
from pathlib import Path
from pipeline.adapters.artifact_cache import TieredCache
folder, own, *keys = sys.argv[1:]
Path(own).write_bytes(own.encode() * 1000)
sys.stdin.read()
cache = TieredCache(folder)
for key in keys:
    record = cache.keep(key, {"a": Path(own)}, kind="produced", about="")
    assert cache.find(key) == record
    print(record.outputs["a"].sha256)
cache.close()
"""


def test_two_agents_at_once_agree(tmp_path: Path) -> None:
    """Two processes that keep the same keys at the same time are told the same records, each whole."""
    keys = [key_of(str(number)) for number in range(30)]
    agents = [
        subprocess.Popen(
            [sys.executable, "-c", RACING, str(tmp_path / "cache"), str(tmp_path / name), *keys],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for name in ("one", "two")
    ]
    for agent in agents:
        assert agent.stdin is not None
        agent.stdin.flush()
    for agent in agents:
        assert agent.stdin is not None
        agent.stdin.close()
        agent.stdin = None
    told = [agent.communicate()[0] for agent in agents]

    assert [agent.returncode for agent in agents] == [0, 0]
    assert told[0] == told[1]
    assert len(told[0].split()) == len(keys)


def mounted(folder: Path, *arguments: str) -> Iterator[Path]:
    """A file system of its own, where that is allowed."""
    only_outside_pods("only root mounts file systems")
    folder.mkdir(exist_ok=True)
    done = subprocess.run(["mount", *arguments, str(folder)], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"cannot mount here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 512 KiB."""
    yield from mounted(tmp_path / "disk", "-t", "tmpfs", "-o", "size=512k", "tmpfs")


def test_a_full_disk_fails_no_build(small_disk: Path, tmp_path: Path) -> None:
    """What does not fit is told once, can be used as long as its maker leaves it, and is a miss for others."""
    told: list[str] = []
    source = tmp_path / "big"
    source.write_bytes(os.urandom(2**20))
    cache = TieredCache(small_disk / "cache", tell=told.append)

    made = cache.keep(KEY, {"a": source}, kind="produced", about="")
    cache.keep(key_of("2"), {"a": source}, kind="produced", about="")
    path = cache.file(made.outputs["a"])
    cache.close()

    assert path.read_bytes() == source.read_bytes()
    assert [text for text in told if "the disk is full" in text] == told
    assert len(told) == 1
    assert TieredCache(small_disk / "cache").find(KEY) is None
    assert not list((small_disk / "cache" / "tmp").iterdir())


def test_what_could_not_be_stored_is_checked_where_it_was(small_disk: Path, tmp_path: Path) -> None:
    """The maker's own file, changed since, is not handed out."""
    source = tmp_path / "big"
    source.write_bytes(os.urandom(2**20))
    cache = TieredCache(small_disk / "cache")
    made = cache.keep(KEY, {"a": source}, kind="produced", about="")

    flip(source, 99)

    with pytest.raises(ArtifactGone):
        cache.file(made.outputs["a"])


def test_a_read_only_cache_gives_and_takes_nothing(folder: Path, tmp_path: Path) -> None:
    """What is there can be used; what is new is told, kept nowhere, and fails nothing."""
    told: list[str] = []
    (tmp_path / "new").write_bytes(b"new")
    for place in mounted(tmp_path / "ro", "--bind", "-o", "ro", str(folder)):
        subprocess.run(["mount", "-o", "remount,bind,ro", str(place)], check=True)
        cache = TieredCache(place, tell=told.append)
        found = cache.find(KEY)
        assert found is not None
        assert cache.file(found.outputs["a.whl"]).read_bytes() == DATA
        made = cache.keep(key_of("2"), {"a": tmp_path / "new"}, kind="produced", about="")
        assert cache.file(made.outputs["a"]).read_bytes() == b"new"
        assert cache.find(key_of("2")) is None
        cache.close()

    assert len(told) == 1
    assert "cannot be written" in told[0]


def test_a_miss_for_want_of_trust_says_so(tmp_path: Path) -> None:
    """A trusted build that makes again what a pull request had made is told why."""
    kept(TieredCache(tmp_path / "cache", level="pr-1"), KEY, {"a": DATA}, tmp_path)
    cache = TieredCache(tmp_path / "cache")

    assert cache.find(KEY) is None
    cache.close()

    assert last_answers(tmp_path / "cache") == ["miss: record of untrusted level"]
