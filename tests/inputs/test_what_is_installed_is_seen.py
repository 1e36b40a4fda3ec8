"""An interpreter's digest follows what is installed for it, without starting it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.adapters.inputs import interpreter_digest


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """An environment with one distribution, and an executable that cannot be started."""
    packages = tmp_path / "env" / "lib" / "python3.9" / "site-packages"
    (packages / "attrs-25.1.0.dist-info").mkdir(parents=True)
    (packages / "attrs-25.1.0.dist-info" / "RECORD").write_text("attr/__init__.py,sha256=x,1\n")
    (tmp_path / "env" / "pyvenv.cfg").write_text("home = /nowhere\ninclude-system-site-packages = false\n")
    (tmp_path / "env" / "bin").mkdir()
    (tmp_path / "env" / "bin" / "python").write_text("")
    return tmp_path / "env" / "bin" / "python"


def _packages(python: Path) -> Path:
    return python.parent.parent / "lib" / "python3.9" / "site-packages"


def test_the_same_environment_gives_the_same_digest(python: Path) -> None:
    """Byte-code caches and ordinary files of packages are no change."""
    before = interpreter_digest(python)
    (_packages(python) / "__pycache__").mkdir()
    (_packages(python) / "module.py").write_text("")

    assert interpreter_digest(str(python)) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda p: (_packages(p) / "pytest-9.0.dist-info").mkdir(),
        lambda p: (_packages(p) / "attrs-25.1.0.dist-info").rename(_packages(p) / "attrs-25.2.0.dist-info"),
        lambda p: (_packages(p) / "attrs-25.1.0.dist-info" / "RECORD").write_text("other"),
        lambda p: (_packages(p) / "attrs-25.1.0.dist-info" / "direct_url.json").write_text('{"commit_id": "1"}'),
        lambda p: (_packages(p) / "editable.pth").write_text("/src"),
        lambda p: p.write_text("another executable"),
        lambda p: p.unlink(),
    ],
    ids=["install", "upgrade", "rebuild", "origin", "editable", "executable", "missing"],
)
def test_a_change_is_seen(python: Path, change: Callable[[Path], object]) -> None:
    """Installed, upgraded, re-installed from elsewhere, made editable; another executable."""
    before = interpreter_digest(python)
    change(python)

    assert interpreter_digest(python) != before


def test_a_linked_executable_keeps_its_environment(python: Path, tmp_path: Path) -> None:
    """An environment's python is mostly a link; its own packages count, not only those beside the link's target."""
    base = tmp_path / "base" / "bin"
    base.mkdir(parents=True)
    python.rename(base / "python3")
    python.symlink_to(base / "python3")
    before = interpreter_digest(python)
    (_packages(python) / "pytest-9.0.dist-info").mkdir()

    assert interpreter_digest(python) != before


def test_system_packages_count_where_the_environment_lets_them_in(python: Path, tmp_path: Path) -> None:
    """`include-system-site-packages = true` makes the base's packages part of the environment."""
    base = tmp_path / "base"
    (base / "bin").mkdir(parents=True)
    python.rename(base / "bin" / "python3")
    python.symlink_to(base / "bin" / "python3")
    outside = base / "lib" / "python3.9" / "site-packages"
    outside.mkdir(parents=True)
    digests = []
    for settings in ("false", "true"):
        (tmp_path / "env" / "pyvenv.cfg").write_text(f"include-system-site-packages = {settings}\n")
        before = interpreter_digest(python)
        (outside / f"x{settings}-1.dist-info").mkdir()
        digests.append(before == interpreter_digest(python))

    assert digests == [True, False]
