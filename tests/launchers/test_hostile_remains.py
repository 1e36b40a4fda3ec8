"""What a container that has ended tells is hostile: tests may have written all of it, as much as they liked."""

from __future__ import annotations

import io
import struct
import tarfile
from pathlib import Path

import pytest

from pipeline.adapters.docker_engine import DockerEngine
from pipeline.adapters.harness_birth import OUTBOX
from pipeline.adapters.piece_stream import PieceStream
from pipeline.harness import outbox
from pipeline.launchers.docker.remains import last_words
from pipeline.model.containers import ContainerSpec
from tests.engines.fixtures import DockerEngine as RunningDocker

NO_CAPACITY = struct.pack("8Q", outbox.MAGIC, 0, 0, 0, 9, 0, 0, 0)
PRINTS = "import sys; [sys.stdout.write('x' * 1000 + chr(10)) for _ in range(3000)]; print('the end')"


def archive(*members: tuple[str, bytes]) -> bytes:
    """A tar archive of files."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as tar:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return target.getvalue()


def said(folder: Path, text: str) -> bytes:
    """An outbox in which a harness said something."""
    path = folder / text
    path.write_bytes(bytes(outbox.HEADER + 4096))
    box = outbox.Outbox(str(path))
    box.append(f'{{"say": "{text}"}}\n'.encode())
    return path.read_bytes()


@pytest.mark.parametrize(
    "bad",
    [b"", b"abc", bytes(8), bytes(67), NO_CAPACITY, NO_CAPACITY + bytes(3), bytes(4096)],
    ids=["empty", "three", "eight", "odd", "header", "odd header", "zeros"],
)
def test_an_outbox_that_is_none_says_nothing(tmp_path: Path, bad: bytes) -> None:
    """Whatever a test has written into it; another birth's outbox is read all the same."""
    stream = io.BytesIO(archive((f"slot-0/a/{OUTBOX}", bad), (f"slot-0/b/{OUTBOX}", said(tmp_path, "done"))))

    assert last_words(stream) == [{"say": "done"}]


def test_more_than_memory_should_hold_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Outboxes count together; files of other names are passed over in the stream."""
    good = said(tmp_path, "done")
    monkeypatch.setattr("pipeline.launchers.docker.remains.MOST_BYTES", 2 * len(good) - 1)
    data = archive(("big", bytes(100_000)), (f"slot-0/a/{OUTBOX}", good), (f"slot-0/b/{OUTBOX}", good))
    pieces = (data[start : start + 1000] for start in range(0, len(data), 1000))

    assert last_words(PieceStream(pieces)) == [{"say": "done"}]


def test_logs_and_folders_of_a_container_are_bounded(docker_engine: RunningDocker, base_image: str) -> None:
    """Of a log only the end is kept; a folder is a stream that need not be read to its end."""
    engine = DockerEngine(docker_engine.host)
    engine.pull(base_image)
    container = engine.create(
        ContainerSpec(name="", image=base_image, labels={}, command=("python3", "-c", PRINTS), user="65532:0")
    )
    try:
        engine.start(container)
        docker_engine.client.containers.get(container).wait(timeout=30)
        end = engine.logs(container, 1500)
        with engine.fetch(container, "/usr/lib/python3") as stream:
            first = stream.read(512)
    finally:
        engine.remove(container)
        engine.close()

    assert len(end) == 1500
    assert end.endswith(b"x\nthe end\n")
    assert len(first) == 512
