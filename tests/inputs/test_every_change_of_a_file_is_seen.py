"""Which files count, and that no change of one of them goes unseen."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.adapters import inputs
from pipeline.adapters.file_content import content_digest
from pipeline.adapters.inputs import Changes, FilesDigest, changes

Digest = Callable[..., FilesDigest]
Git = Callable[..., None]


@pytest.fixture(params=["repository", "project"])
def root(request: pytest.FixtureRequest) -> Path:
    """A project with git and one without."""
    path: Path = request.getfixturevalue(request.param)
    return path


def test_nothing_changed_gives_the_same_digest(root: Path, digest: Digest) -> None:
    """All files are there, the second look equals the first."""
    first = digest()

    assert sorted(first.files) == [".env", "a.py", "data/b.json"]
    assert digest() == first


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda root: (root / "a.py").write_text("A"), Changes(changed=("a.py",))),
        (lambda root: (root / "new").write_text("A"), Changes(added=("new",))),
        (lambda root: (root / "a.py").unlink(), Changes(removed=("a.py",))),
        (lambda root: (root / "a.py").chmod(0o755), Changes(changed=("a.py",))),
        (lambda root: (root / "a.py").rename(root / "z.py"), Changes(added=("z.py",), removed=("a.py",))),
        (lambda root: os.utime(root / "a.py"), Changes()),
    ],
    ids=["edit", "add", "remove", "mode", "rename", "touch"],
)
def test_a_change_is_named(root: Path, digest: Digest, change: Callable[[Path], object], expected: Changes) -> None:
    """Edited, added and removed files are told apart; a touched one is no change."""
    before = digest()
    change(root)
    after = digest()

    assert changes(before.files, after.files) == expected
    assert (before.digest == after.digest) == (expected == Changes())


def test_an_edit_that_keeps_size_and_time_is_seen(root: Path, digest: Digest) -> None:
    """A file with clamped times fools nobody: the inode's own change cannot be set back."""
    before = digest()
    status = (root / "a.py").stat()
    (root / "a.py").write_text("A")
    os.utime(root / "a.py", ns=(status.st_atime_ns, status.st_mtime_ns))

    assert changes(before.files, digest().files).changed == ("a.py",)


def test_a_file_written_within_the_tick_of_the_scan_is_read_again(
    root: Path, digest: Digest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fresh files get no signature, so a second edit in the same tick, with equal signature, is not missed."""
    reads: list[str] = []

    def reading(path: str, sign: list[int]) -> str:
        reads.append(path)
        return content_digest(path, sign)

    monkeypatch.setattr(inputs, "content_digest", reading)
    digest()
    digest()
    kept = len(reads)
    monkeypatch.setattr(inputs, "_RACY_NANOSECONDS", 10**10)
    (root / "a.py").write_text("A")
    digest()
    digest()

    assert kept == 3
    assert [os.path.basename(path) for path in reads[3:]].count("a.py") == 2


def test_links_count_by_text_and_by_what_they_lead_to(root: Path, digest: Digest, tmp_path: Path) -> None:
    """A link to a file outside changes with that file; dangling links and links to folders are no trouble."""
    outside = tmp_path / "outside"
    outside.write_text("1")
    for name, target in (
        ("out", outside),
        ("gone", tmp_path / "nothing"),
        ("folder", tmp_path),
        ("self", root / "self"),
    ):
        (root / name).symlink_to(target)
    before = digest()
    outside.write_text("2")
    (root / "gone").unlink()
    (root / "gone").symlink_to(tmp_path / "elsewhere")

    assert {"out", "gone", "folder", "self"} <= before.files.keys()
    assert changes(before.files, digest().files) == Changes(changed=("gone", "out"))


def test_special_and_unreadable_files_hang_nobody(
    project: Path, digest: Digest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pipe and a socket are named, not opened; an unreadable file is tried again each time."""
    os.mkfifo(project / "pipe")
    with socket.socket(socket.AF_UNIX) as unix:
        monkeypatch.chdir(project)
        unix.bind("socket")
        files = digest().files
    (project / "a.py").chmod(0o600)  # Another state: what is known of the file does not count.
    with monkeypatch.context() as patch:
        patch.setattr("builtins.open", _no_reading(open))
        unreadable = digest().files["a.py"]

    assert (files["pipe"][:7], files["socket"][:7], unreadable) == ("special", "special", "unreadable")
    assert digest().files["a.py"] != "unreadable"


def test_names_that_are_no_text_count(root: Path, digest: Digest) -> None:
    """Names with foreign bytes or newlines come through, from the cache too."""
    name = os.fsencode(root) + b"/\xff\n"
    with open(name, "wb") as file:
        file.write(b"1")
    first = digest()

    assert os.fsdecode(b"\xff\n") in first.files
    assert digest() == first


def _no_reading(real: Callable[..., object]) -> Callable[..., object]:
    def refuse(path: object, *args: object, **kwargs: object) -> object:
        if str(path).endswith("a.py"):
            raise PermissionError(13, "Permission denied")
        return real(path, *args, **kwargs)

    return refuse
