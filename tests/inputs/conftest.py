"""Projects whose files are digested."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.adapters import inputs
from pipeline.adapters.inputs import FilesDigest, files_digest

Digest = Callable[..., FilesDigest]
Git = Callable[..., None]


@pytest.fixture(autouse=True)
def old_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take files of this very moment for old ones; the test of racing writes sets it back."""
    monkeypatch.setattr(inputs, "_RACY_NANOSECONDS", -(10**10))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with three files."""
    root = tmp_path / "project"
    for name, text in (("a.py", "a"), ("data/b.json", "b"), (".env", "c")):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.fixture
def git(project: Path) -> Git:
    """Runs git with nobody's configuration."""
    quiet = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "PATH": os.environ["PATH"]}
    who = ("-c", "user.name=t", "-c", "user.email=t@t", "-c", "protocol.file.allow=always")

    def run(*arguments: str, cwd: Path = project) -> None:
        subprocess.run(["git", *who, *arguments], cwd=cwd, env=quiet, check=True, capture_output=True)

    return run


@pytest.fixture
def repository(project: Path, git: Git) -> Path:
    """The project, committed."""
    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "x")
    return project


@pytest.fixture
def digest(project: Path, tmp_path: Path) -> Digest:
    """Digests the project with one cache."""

    def run(*, root: Path = project, **patterns: tuple[str, ...]) -> FilesDigest:
        return files_digest(root, tmp_path / "state" / "files.json", **patterns)

    return run
