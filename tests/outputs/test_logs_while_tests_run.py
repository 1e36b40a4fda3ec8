"""`doit logs` lists who works and follows a worker's files while its tests run, on this machine."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from pipeline.adapters.growing_files import follow_files
from tests.faults.project import Project, Running, until

SAYS = """\
import os, time, pytest
from trace_support import trace

@pytest.mark.parametrize("n", range(6))
def test_says(n):
    trace(f"says-{n}")
    os.write(2, f"line {n} \\x1b[31maloud\\n".encode())
    time.sleep(0.5)
"""


def test_files_are_followed_until_all_is_over(tmp_path: Path) -> None:
    """New ones that appear beside them, too; what is written before the end is not missed."""
    first, second = tmp_path / "1.log", tmp_path / "2.log"
    first.write_bytes(b"one ")
    is_over = threading.Event()
    found: list[tuple[Path, bytes]] = []
    pieces = follow_files(lambda: sorted(tmp_path.glob("*.log")), is_over.is_set)

    found.append(next(pieces))
    second.write_bytes(b"other")
    first.write_bytes(b"one more")
    found += [next(pieces), next(pieces)]
    second.unlink()
    first.write_bytes(b"one more, last")
    is_over.set()
    found += pieces

    assert found == [(first, b"one "), (first, b"more"), (second, b"other"), (first, b", last")]


def followed(project: Project, *arguments: str) -> tuple[Running, Running, str]:
    """A run to its end, who followed its only worker, and what was listed meanwhile."""
    running = project.start(*arguments)
    running.until_begun(1)
    listing = project.start("logs")
    assert listing.end() == 0, listing.output
    following = project.start("logs", "w0-1", "--follow")
    until(lambda: "line 1" in following.output or "claims batch" in following.output, lambda: following.output)
    assert running.process.poll() is None, "it was not followed while it ran"
    assert running.end() == 0, running.output
    assert following.end(30) == 0, following.output
    return running, following, listing.output


def test_a_local_worker_is_followed(tmp_path: Path) -> None:
    """Until it ends, with nothing that could harm a terminal."""
    project = Project(root=tmp_path / "project")
    project.sleepers(files=0, count=0, seconds=0)
    project.write("test_says.py", SAYS)
    project.write("pytest.ini", "[pytest]\naddopts = -s\n")

    _, following, listed = followed(project, "workers.count=1")

    assert "w0-1" in listed and "lives" in listed
    assert [following.output.count(f"line {n}") for n in range(6)] == [1] * 6
    assert "\x1b" not in following.output


def test_a_listing_without_a_run_is_the_users_mistake(tmp_path: Path) -> None:
    """Told as such."""
    project = Project(root=tmp_path / "project")
    project.write("test_a.py", "def test_a(): pass\n")
    began = time.monotonic()
    done = project.start("logs")
    assert done.end() in (2, 3), done.output
    assert "Traceback" not in done.output and "no run has begun yet" in done.output
    assert time.monotonic() - began < 60
