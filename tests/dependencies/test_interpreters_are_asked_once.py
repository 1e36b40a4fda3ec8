"""An interpreter says what it has installed once, until that changes."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.adapters import installations
from pipeline.adapters.installations import installation_of
from tests.docker.house import make_environment


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The interpreters that were started; what this process remembers is forgotten."""
    names: list[str] = []
    run = subprocess.run

    def counted(command: list[str], **more: object) -> subprocess.CompletedProcess[str]:
        names.append(command[0])
        return run(command, **more)  # type: ignore[call-overload, no-any-return]

    monkeypatch.setattr(installations.subprocess, "run", counted)  # type: ignore[attr-defined]
    installations._known.cache_clear()
    yield names
    installations._known.cache_clear()


def test_another_agent_process_reads_what_was_said(tmp_path: Path, asked: list[str]) -> None:
    """The same answer without starting it; a new package, or a damaged file, makes it be asked."""
    python = str(make_environment(tmp_path / "venv") / "bin" / "python")
    said = tmp_path / "said"
    first = installation_of(python, said)
    installations._known.cache_clear()

    assert installation_of(python, said) == first
    assert len(asked) == 1

    [file] = said.iterdir()
    file.write_text(file.read_text("utf-8")[:-20], encoding="utf-8")
    installations._known.cache_clear()
    assert installation_of(python, said) == first
    assert len(asked) == 2

    (site,) = (tmp_path / "venv").glob("lib/python*/site-packages")
    (site / "more-1.dist-info").mkdir()
    (site / "more-1.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: more\nVersion: 1\n", encoding="utf-8"
    )
    assert {one.name for one in installation_of(python, said).distributions} == {
        *(one.name for one in first.distributions),
        "more",
    }
    assert len(asked) == 3
