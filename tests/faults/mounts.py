"""Small and read-only file systems for tests, where the machine lets us mount; else the reason why not."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.engines import only_outside_pods


def mount(*arguments: str) -> None:
    """Mount, or skip the test with the reason."""
    only_outside_pods("only root mounts file systems")
    try:
        done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    except OSError as error:
        pytest.skip(f"cannot mount: {error}")
    if done.returncode:
        pytest.skip(f"cannot mount ({done.stderr.strip()}); run as root with CAP_SYS_ADMIN")


@contextmanager
def tmpfs(at: Path, mebibytes: int) -> Iterator[Path]:
    """A file system in memory of that size."""
    at.mkdir(parents=True, exist_ok=True)
    mount("-t", "tmpfs", "-o", f"size={mebibytes}m", "tmpfs", str(at))
    try:
        yield at
    finally:
        subprocess.run(["umount", "--lazy", str(at)], check=True)


@contextmanager
def read_only(at: Path) -> Iterator[Path]:
    """The folder as it is, but nothing can be written into it."""
    mount("--bind", str(at), str(at))
    try:
        mount("-o", "remount,ro,bind", str(at))
        yield at
    finally:
        subprocess.run(["umount", "--lazy", str(at)], check=True)
