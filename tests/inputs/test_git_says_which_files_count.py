"""Ignored files, deleted ones, repositories inside repositories, and globs of the settings."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.adapters.file_listing import matcher
from pipeline.adapters.inputs import FilesDigest, files_digest

Digest = Callable[..., FilesDigest]
Git = Callable[..., None]


def test_ignored_files_do_not_count_until_asked_for(repository: Path, digest: Digest) -> None:
    """What git ignores is left out; `include` brings it in, and its changes count."""
    (repository / ".gitignore").write_text("*.bin\n")
    (repository / "data" / "big.bin").write_text("1")
    without, one = digest(), digest(include=("data/*.bin",))
    (repository / "data" / "big.bin").write_text("2")

    assert "data/big.bin" not in without.files
    assert one.files["data/big.bin"] != digest(include=("data/*.bin",)).files["data/big.bin"]


def test_excluded_files_do_not_count(repository: Path, digest: Digest) -> None:
    """`exclude` leaves out what git knows, and a changed `exclude` is followed at once."""
    assert sorted(digest().files) == [".env", "a.py", "data/b.json"]
    assert sorted(digest(exclude=("data/**", "**/.env")).files) == ["a.py"]
    assert sorted(digest(exclude=("data",)).files) == [".env", "a.py"]


def test_a_virtual_environment_does_not_count_though_git_does_not_ignore_it(repository: Path, digest: Digest) -> None:
    """It is made anew wherever tests run; a folder that has only the file of its name is some test's data."""
    for folder in ("tools/env", "data/like"):
        (repository / folder / "bin").mkdir(parents=True)
        (repository / folder / "pyvenv.cfg").write_text("home = /usr\n")
        (repository / folder / "bin" / "tool").write_text("1")
    (repository / "tools" / "env" / "bin" / "python").symlink_to("/usr/bin/python3")
    (repository / "tools" / "environment.py").write_text("1")

    files = digest().files

    assert sorted(files) == [
        ".env",
        "a.py",
        "data/b.json",
        "data/like/bin/tool",
        "data/like/pyvenv.cfg",
        "tools/environment.py",
    ]
    assert "tools/env/bin/tool" in digest(include=("tools/env/**",)).files


def test_a_deleted_tracked_file_is_absent(repository: Path, digest: Digest) -> None:
    """Git still lists it; it does not count."""
    (repository / "a.py").unlink()

    assert "a.py" not in digest().files


def test_repositories_inside_count_by_their_own_rules(
    repository: Path, digest: Digest, git: Git, tmp_path: Path
) -> None:
    """A sub-module and a plain nested clone: their files count, with their own ignore rules, changes included."""
    library = tmp_path / "library"
    library.mkdir()
    (library / "lib.py").write_text("1")
    (library / ".gitignore").write_text("junk\n")
    git("init", "-q", cwd=library)
    git("add", "-A", cwd=library)
    git("commit", "-qm", "x", cwd=library)
    git("submodule", "--quiet", "add", str(library), "sub")
    git("clone", "-q", str(library), "nested")
    for name in ("sub", "nested"):
        (repository / name / "junk").write_text("1")
    before = digest()
    (repository / "sub" / "lib.py").write_text("2")
    (repository / "nested" / "new.py").write_text("2")
    after = digest()

    assert {"sub/lib.py", "nested/lib.py"} <= before.files.keys()
    assert not {"sub/junk", "nested/junk"} & before.files.keys()
    assert before.files["sub/lib.py"] != after.files["sub/lib.py"]
    assert "nested/new.py" in after.files
    assert digest() == after


def test_a_sub_module_that_was_not_fetched_is_empty(repository: Path, digest: Digest, git: Git, tmp_path: Path) -> None:
    """Its empty folder ends the search instead of starting it anew."""
    git("clone", "-q", "--bare", str(repository), str(tmp_path / "bare"))
    git("submodule", "--quiet", "add", str(tmp_path / "bare"), "sub")
    git("submodule", "--quiet", "deinit", "-f", "sub")

    assert not [name for name in digest().files if name.startswith("sub/")]


def test_a_project_within_a_larger_repository_has_only_its_own_files(repository: Path, digest: Digest) -> None:
    """In a monorepo names are relative to the project's root."""
    assert sorted(digest(root=repository / "data").files) == ["b.json"]


def test_a_project_that_the_repository_around_it_ignores_is_walked(repository: Path, digest: Digest) -> None:
    """Git knows nothing of it, yet it has files."""
    (repository / ".gitignore").write_text("inner/\n")
    (repository / "inner").mkdir()
    (repository / "inner" / "t.py").write_text("1")

    assert sorted(digest(root=repository / "inner").files) == ["t.py"]


def test_variables_of_a_git_hook_lead_nobody_astray(
    repository: Path, digest: Digest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In a hook git names another index and repository; the project's own counts."""
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    (repository / ".gitignore").write_text("data\n")
    (repository / "data" / "ignored").write_text("")

    assert sorted(digest().files) == [".env", ".gitignore", "a.py", "data/b.json"]


def test_a_walk_leaves_out_environments_and_caches(project: Path, digest: Digest) -> None:
    """Without git, what tools keep beside a project does not count."""
    for name in (
        "__pycache__/a.pyc",
        "env/pyvenv.cfg",
        "env/lib/x.py",
        "cache/CACHEDIR.TAG",
        "cache/y",
        ".venv/z",
        ".git/HEAD",
    ):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text("")

    assert sorted(digest().files) == [".env", "a.py", "data/b.json"]


def test_a_missing_git_is_no_trouble(repository: Path, digest: Digest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without git walks."""
    expected = digest()
    monkeypatch.setenv("PATH", "")

    assert digest().digest == expected.digest


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", '{"version": 0}', '{"version": 1, "digest": "", "entries": {"a.py": ["x"]}, "listings": {}}'],
)
def test_a_damaged_cache_costs_time_only(repository: Path, tmp_path: Path, content: str) -> None:
    """Whatever the cache's file holds, the digest is right."""
    good = files_digest(repository, tmp_path / "good.json")
    (tmp_path / "bad.json").write_text(content)

    assert files_digest(repository, tmp_path / "bad.json") == good
    assert json.loads((tmp_path / "bad.json").read_text())["digest"] == good.digest


def test_a_cache_that_cannot_be_written_costs_time_only(repository: Path, tmp_path: Path) -> None:
    """A read-only project is digested all the same."""
    (tmp_path / "file").write_text("")

    assert len(files_digest(repository, tmp_path / "file" / "files.json").files) == 3


@pytest.mark.parametrize(
    ("pattern", "hits", "misses"),
    [
        ("**/__pycache__/**", ["__pycache__/a", "x/y/__pycache__/z/a"], ["x__pycache__/a", "__pycache__x"]),
        ("*.py", ["a.py"], ["x/a.py", "a.pyc", "apy"]),
        ("**/*.py", ["a.py", "x/y/a.py"], ["a.pyc"]),
        ("docs", ["docs", "docs/a/b"], ["docsx", "x/docs"]),
        ("docs/", ["docs/a"], ["docsx"]),
        ("a/**/b", ["a/b", "a/x/y/b"], ["ab", "a/xb"]),
        ("[ab]?.t[!x]t", ["a1.txt".replace("x", "e"), "b2.tat"], ["c1.tet", "a1.txt"]),
        ("we[rd", ["we[rd"], ["wer"]),
        (".fleet/**", [".fleet/state"], [".fleet2/x", "x/.fleet/y"]),
    ],
)
def test_globs(pattern: str, hits: list[str], misses: list[str]) -> None:
    """`**` is any folders, `*` and `?` stay within a name, a folder means its content."""
    expression = matcher((pattern,))

    assert all(expression.fullmatch(name) for name in hits)
    assert not any(expression.fullmatch(name) for name in misses)
    assert not matcher(()).fullmatch("")
