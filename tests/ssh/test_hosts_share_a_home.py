"""Hosts whose homes are one folder, as on a cluster with a shared file system: whoever comes at the same time disturbs nobody."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

import pytest
from attrs import frozen

from pipeline.adapters import relay_bootstrap
from pipeline.harness import relay_archives

MARK = "mark:"
BOOTSTRAP = "import sys; exec(sys.stdin.buffer.readline())"


@frozen
class Session:
    """A relay's bootstrap, as a login shell starts it."""

    given: IO[bytes]
    said: IO[bytes]

    def next_line(self) -> str:
        """What it says next."""
        return next(line for line in iter(self.said.readline, b"") if line.startswith(MARK.encode())).decode()

    def send_harness(self) -> None:
        """Send what it wants."""
        self.given.write(relay_bootstrap.harness()[1])
        self.given.flush()


@contextmanager
def session(home: Path, name: str) -> Iterator[Session]:
    """Begin one; it ends as its input does."""
    order = {
        "name": name,
        "folder": str(home),
        "about": {"label": "tests", "after": []},
        "env": {},
        "least_bytes": 0,
        "marker": MARK,
        "silence_seconds": 30.0,
        "tick_seconds": 1.0,
    }
    command = [sys.executable, "-I", "-u", "-c", BOOTSTRAP]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(relay_bootstrap.opening("", order).partition(b"\n")[2])
        process.stdin.flush()
        yield Session(process.stdin, process.stdout)
        process.stdin.close()
        assert process.wait(30) == 0


def test_a_harness_that_another_host_has_put_there_stays(tmp_path: Path) -> None:
    """Two want it, both are sent it: the one that comes second leaves the first one's, from which that runs."""
    with ExitStack() as stack:
        first, second = (stack.enter_context(session(tmp_path, name)) for name in ("one", "two"))
        assert [one.next_line().strip() for one in (first, second)] == [f'{MARK}{{"want": true}}'] * 2
        first.send_harness()
        assert '"hello"' in first.next_line()
        before = _folders(tmp_path / "harness")
        second.send_harness()
        assert '"hello"' in second.next_line()

        assert len(before) == 1
        assert _folders(tmp_path / "harness") == before


def test_a_damaged_harness_is_replaced(tmp_path: Path) -> None:
    """Only what is not what it is called goes, and nothing of it is left."""
    digest = relay_bootstrap.harness()[0]
    damaged = tmp_path / "harness" / digest
    damaged.mkdir(parents=True)
    (damaged / "relay_start.py").write_text("raise SystemExit(9)\n")
    before = _folders(damaged.parent)
    with session(tmp_path, "one") as only:
        assert "want" in only.next_line()
        only.send_harness()
        assert '"hello"' in only.next_line()

    after = _folders(damaged.parent)
    assert list(after) == list(before) == [digest]
    assert after != before


def test_an_archive_that_another_host_has_unpacked_meanwhile_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both unpack it at once: the second one takes the first one's folder."""
    with tarfile.open(tmp_path / "corpus.tar", "w") as archive:
        archive.add(__file__, "word")
    base, digest = tmp_path / "base", "0" * 64
    plainly = relay_archives._unpack_tar

    def late(path: str, folder: str) -> None:
        monkeypatch.setattr(relay_archives, "_unpack_tar", plainly)
        plainly(path, folder)
        relay_archives.unpack(str(base), digest, path)
        before.update(_folders(base / relay_archives.UNPACKED))

    before: dict[str, int] = {}
    monkeypatch.setattr(relay_archives, "_unpack_tar", late)

    folder = relay_archives.unpack(str(base), digest, str(tmp_path / "corpus.tar"))

    assert os.listdir(folder) == ["word"]
    after = _folders(base / relay_archives.UNPACKED)
    assert list(after) == [digest]
    assert after[digest] == before[digest]


def _folders(folder: Path) -> dict[str, int]:
    """Which there are, and that they are the same ones."""
    return {path.name: path.stat().st_ino for path in folder.iterdir()}
