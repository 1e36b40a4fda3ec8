"""What workers elsewhere leave comes home through the store: whole or not at all, within limits, never outside its folder."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import os
import tarfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from extensions.homecoming import bring_home
from pipeline.adapters.clock import SystemClock
from pipeline.adapters.output_archive import OutputLimits, pack
from pipeline.errors import StoreDamaged
from pipeline.launchers.outputs import send_outputs
from pipeline.model.events import Event, Notice
from pipeline.model.suites import HarnessSpec
from pipeline.protocol import keys, outputs
from pipeline.protocol.certain import CertainStore
from pipeline.protocol.outputs import fetch_output, list_outputs, send_output
from tests.fakes.memory_store import MemoryStore

RUN = "r-1"


def certain(store: MemoryStore) -> CertainStore:
    """The store as workers use it."""
    return CertainStore(store, SystemClock())


def write(root: Path, **files: str) -> Path:
    """Files by name; `__` stands for a folder."""
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def packed(root: Path, patterns: Sequence[str], **options: object) -> tuple[list[str], tuple[str, ...], bytes]:
    """(names in the archive, notes, the archive)."""
    target = io.BytesIO()
    made = pack(root, patterns, target, **options)  # type: ignore[arg-type]
    with tarfile.open(fileobj=io.BytesIO(target.getvalue())) as archive:
        names = sorted(member.name for member in archive if member.isfile())
    return names, made.notes, target.getvalue()


def home(store: MemoryStore, folder: Path, worker: str = "") -> tuple[Sequence[Path], list[str]]:
    """What is brought home, and what is told."""
    told: list[Event] = []
    made = asyncio.run(bring_home(store, SystemClock(), RUN, folder, told.append, worker=worker))
    return made, [event.text for event in told if isinstance(event, Notice)]


def sent(store: MemoryStore, worker: str, name: str, data: bytes, notes: Sequence[str] = ()) -> None:
    """Leave something in the store."""
    asyncio.run(send_output(certain(store), RUN, worker, name, io.BytesIO(data), notes=notes))


def test_a_workers_files_are_found_again(tmp_path: Path) -> None:
    """What a suite names, and the logs, lie below the worker's name; what it does not name stays away."""
    project = write(tmp_path / "p", reports__a_xml="<a/>", shots__deep__b="b", other="no", **{".coverage.h.1": "data"})
    scratch = tmp_path / "s"
    (scratch / "agent-1").mkdir(parents=True)
    (scratch / "agent-1" / "worker.log").write_text("said")
    carries = {"root": str(project), "globs": ["reports/*", "shots/**", ".coverage.*"]}
    spec = HarnessSpec(suite="unit", python="", cwd="", module="", options={"carries": carries})
    store = MemoryStore()

    asyncio.run(send_outputs(certain(store), RUN, "w0-1", {"unit": spec}, scratch, since=0.0))
    made, told = home(store, tmp_path / "home")

    assert [path.relative_to(tmp_path).as_posix() for path in made] == ["home/w0-1/logs", "home/w0-1/unit"]
    assert told == [f"what tests left is in {tmp_path / 'home'}"]
    files = sorted(path.relative_to(made[1]).as_posix() for path in made[1].rglob("*") if path.is_file())
    assert files == [".coverage.h.1", "reports/a_xml", "shots/deep/b"]
    assert (made[0] / "agent-1" / "worker.log").read_text() == "said"


def test_what_lay_there_before_is_not_carried(tmp_path: Path) -> None:
    """A report that is part of the sources is no output of this worker."""
    root = write(tmp_path, old_txt="old", new_txt="new")
    os.utime(root / "old_txt", (1000, 1000))

    assert packed(root, ["*_txt"], since=2000.0)[0] == ["new_txt"]


def test_links_are_neither_followed_nor_carried(tmp_path: Path) -> None:
    """A test may link to anything on the machine it runs on."""
    write(tmp_path / "outside", secret="s")
    root = write(tmp_path / "root", out__good="g")
    (root / "out" / "file").symlink_to(tmp_path / "outside" / "secret")
    (root / "out" / "folder").symlink_to(tmp_path / "outside")

    assert packed(root, ["out/**"])[0] == ["out/good"]
    assert packed(root, ["out/folder/*"])[0] == []


def test_equal_files_make_equal_archives(tmp_path: Path) -> None:
    """Times and the order of creation do not matter."""
    one = write(tmp_path / "one", a="1", b="2")
    two = write(tmp_path / "two", b="2", a="1")
    os.utime(two / "a", (1, 1))

    assert packed(one, ["*"])[2] == packed(two, ["*"])[2]


def test_limits_are_kept_and_told(tmp_path: Path) -> None:
    """Too large a file and too many files are left out, each with a word about it."""
    root = write(tmp_path, a="1", b="2" * 100, c="3", d="4")

    names, notes, _ = packed(root, ["*"], limits=OutputLimits(files=2, bytes=1000, file_bytes=50))

    assert names == ["a", "c"]
    assert notes == ("b left out: 100 bytes are too many", "1 files left out: there are more than 2")


def test_large_outputs_travel_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """No value in the store is larger than a chunk, and the bytes are the same again."""
    monkeypatch.setattr(outputs, "CHUNK_BYTES", 10)
    store, data, target = MemoryStore(), bytes(range(95)), io.BytesIO()
    sent(store, "w0-1", "unit", data)

    (output,) = asyncio.run(list_outputs(certain(store), RUN, print))
    asyncio.run(fetch_output(certain(store), RUN, output, target))

    assert (output.chunks, target.getvalue()) == (10, data)
    assert max(len(value) for key, value in store.data.values.items() if not key.endswith("index")) == 10


def test_too_much_is_cut_off_and_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An archive that is cut off is left out at home, and both are said."""
    monkeypatch.setattr(outputs, "CHUNK_BYTES", 10)
    monkeypatch.setattr(outputs, "MOST_CHUNKS", 2)
    store = MemoryStore()
    write(tmp_path / "p", a="1" * 500)
    sent(store, "w0-1", "unit", packed(tmp_path / "p", ["*"])[2])

    made, told = home(store, tmp_path / "home")

    assert made == []
    assert "cut off" in told[0]
    assert "not taken over" in told[1]


def test_an_output_without_an_index_does_not_exist() -> None:
    """A worker that dies while it sends leaves nothing to be mistaken for a whole."""
    store = MemoryStore()
    store.data.create(keys.output(RUN, "w0-1", "unit") + "/000000", b"half")

    assert asyncio.run(list_outputs(certain(store), RUN, print)) == []


def test_changed_bytes_are_refused() -> None:
    """What arrives is what was sent, or an error."""
    store = MemoryStore()
    sent(store, "w0-1", "unit", b"good")
    store.data.replace(keys.output(RUN, "w0-1", "unit") + "/000000", b"evil")
    (output,) = asyncio.run(list_outputs(certain(store), RUN, print))

    with pytest.raises(StoreDamaged):
        asyncio.run(fetch_output(certain(store), RUN, output, io.BytesIO()))


@pytest.mark.parametrize("index", [b"{", b"[]", b'{"chunks": 1e9, "size": 1, "sha256": "", "notes": []}', b"[" * 9999])
def test_a_damaged_index_is_told(tmp_path: Path, index: bytes) -> None:
    """Bytes from a store are hostile; what other workers have left comes home all the same."""
    store = MemoryStore()
    store.data.create(keys.output(RUN, "w0-1", "unit") + "/index", index)
    write(tmp_path / "p", a="1")
    sent(store, "w1-1", "unit", packed(tmp_path / "p", ["*"])[2])

    made, told = home(store, tmp_path / "home")

    assert [path.parent.name for path in made] == ["w1-1"]
    assert "damaged" in told[0]


@pytest.mark.parametrize("place", ["../..", "w0-1/..", "w0-1", "w0-1/a/b", "/w0-1", "w0-1/\n"])
def test_an_index_in_a_wrong_place_is_told(tmp_path: Path, place: str) -> None:
    """Names of keys become names of folders, which are emptied before: none may be outside."""
    kept = write(tmp_path, precious="1") / "precious"
    store = MemoryStore()
    key = f"runs/{RUN}/outputs/{place}/index"  # In S3 a key may be any text.
    store.data.values[key] = b'{"chunks": 0, "size": 0, "sha256": "", "notes": []}'
    store.data.versions[key] = 1

    made, told = home(store, tmp_path / "home" / "outputs")

    assert made == []
    assert len(told) == 1
    assert kept.exists()


def test_an_index_speaks_for_its_own_worker_only(tmp_path: Path) -> None:
    """Whose it is says its key, which only that worker's store may have been asked for."""
    store = MemoryStore()
    write(tmp_path / "p", a="1")
    sent(store, "w0-1", "unit", packed(tmp_path / "p", ["*"])[2])
    base = keys.output(RUN, "w0-1", "unit")
    told = json.loads(store.data.values[f"{base}/index"])
    store.data.values[f"{base}/index"] = json.dumps({**told, "worker": "../../x", "name": "../y"}).encode()

    made, _ = home(store, tmp_path / "home")

    assert [path.relative_to(tmp_path / "home").as_posix() for path in made] == ["w0-1/unit"]


@pytest.mark.parametrize("name", ["../../evil", "/tmp/evil", "a/../../evil"])
def test_a_hostile_archive_writes_nothing(tmp_path: Path, name: str) -> None:
    """A test owns the worker it runs in, so it may have sent anything; the others' outputs come home all the same."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as archive:
        info = tarfile.TarInfo(name)
        info.size = 4
        archive.addfile(info, io.BytesIO(b"evil"))
    store = MemoryStore()
    sent(store, "w0-1", "unit", target.getvalue())
    write(tmp_path / "p", a="1")
    sent(store, "w1-1", "unit", packed(tmp_path / "p", ["*"])[2])

    made, told = home(store, tmp_path / "home")

    assert [path.parent.name for path in made] == ["w1-1"]
    assert "not taken over" in told[0]
    assert not list(tmp_path.rglob("evil*"))


def test_what_came_home_earlier_is_replaced(tmp_path: Path) -> None:
    """The folder holds what this run left, and nothing of before."""
    store = MemoryStore()
    write(tmp_path / "p", a="1")
    sent(store, "w0-1", "unit", packed(tmp_path / "p", ["*"])[2])
    write(tmp_path / "home", **{"w0-1__unit__stale": "old", "w7-1__unit__a": "old"})

    home(store, tmp_path / "home")

    assert [path.relative_to(tmp_path / "home").as_posix() for path in tmp_path.glob("home/*/*/*")] == ["w0-1/unit/a"]


def test_sending_again_changes_nothing() -> None:
    """A worker whose answers were lost repeats itself."""
    store = MemoryStore()
    sent(store, "w0-1", "unit", b"data")
    before = dict(store.data.values)
    sent(store, "w0-1", "unit", b"data")

    assert store.data.values == before
    (output,) = asyncio.run(list_outputs(certain(store), RUN, print))
    assert output.sha256 == hashlib.sha256(b"data").hexdigest()
