"""Byte-compiling with the project's own interpreter."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pipeline.adapters.compiler import compile_sources


def write(folder: Path, **texts: str) -> list[str]:
    """Sources by name."""
    for name, text in texts.items():
        (folder / f"{name}.py").write_text(text)
    return [str(folder / f"{name}.py") for name in texts]


def test_sound_sources_are_compiled_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second time nothing is left to do; a changed one is compiled again."""
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    paths = write(tmp_path, a="x = 1\n", b="y = 2\n", c="z = 3\n")

    assert compile_sources(sys.executable, paths, cwd=str(tmp_path), processes=2) == (3, ())
    assert compile_sources(sys.executable, paths, cwd=str(tmp_path), processes=2) == (0, ())

    write(tmp_path, b="y = 'another length'\n")
    assert compile_sources(sys.executable, paths, cwd=str(tmp_path), processes=2) == (1, ())


def test_broken_sources_are_named_with_line_and_reason(tmp_path: Path) -> None:
    """Syntax errors, NUL bytes, wrong encodings and names that are no text: all named, none fatal."""
    paths = write(tmp_path, good="x = 1\n", bad="x = 1\ndef f(:\n", nul="x = '\0'\n")
    latin = tmp_path / "latin.py"
    latin.write_bytes(b"x = '\xe9'\n")

    _, broken = compile_sources(sys.executable, [*paths, str(latin)], cwd=str(tmp_path), processes=2)

    assert (Path(broken[0].path).name, broken[0].line) == ("bad.py", 2)
    assert {Path(one.path).name for one in broken} == {"bad.py", "nul.py", "latin.py"}
    assert all(one.text for one in broken)


def test_what_has_vanished_is_no_fault(tmp_path: Path) -> None:
    """A file removed meanwhile is left to those who need it."""
    assert compile_sources(sys.executable, [str(tmp_path / "gone.py")], cwd=str(tmp_path), processes=1)[1] == ()


def test_no_byte_code_is_written_where_the_user_forbids_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """PYTHONDONTWRITEBYTECODE counts for us too."""
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    paths = write(tmp_path, a="x = 1\n", b="def f(:\n")

    _, broken = compile_sources(sys.executable, paths, cwd=str(tmp_path), processes=1)

    assert len(broken) == 1
    assert not (tmp_path / "__pycache__").exists()
