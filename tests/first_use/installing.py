"""Virtual environments as new users have them, made without a network.

A wheel is built and installed by pip; what it depends on is linked from the running environment.
"""

from __future__ import annotations

import ensurepip
import importlib.util
import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import pytest
from attrs import frozen

REPOSITORY = Path(__file__).parents[2]
NO_SETTINGS = {"PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore"}


@frozen
class Venv:
    """A virtual environment without pip."""

    folder: Path

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    def script(self, name: str) -> Path:
        """One of its commands."""
        return self.folder / "bin" / name

    @property
    def packages(self) -> Path:
        """Its site-packages."""
        return next(self.folder.glob("lib/python*/site-packages"))

    def link(self, *names: str) -> Venv:
        """Make distributions of the running environment, with all they need, part of it."""
        for dist in with_needs(names):
            for top in {file.parts[0] for file in dist.files or () if ".." not in file.parts}:
                source, target = Path(str(dist.locate_file(top))), self.packages / top
                if source.exists() and not target.exists() and top != "__pycache__":
                    target.symlink_to(source)
        return self

    def install(self, wheel: Path) -> Venv:
        """Install a wheel, and nothing else."""
        run_pip("--python", self.python, "install", "--quiet", "--no-index", "--no-deps", wheel)
        return self


def make_venv(folder: Path, python: str = sys.executable) -> Venv:
    """Make an empty environment for an interpreter."""
    subprocess.run([python, "-m", "venv", "--without-pip", folder], check=True, capture_output=True)
    return Venv(folder)


def build_wheel(source: Path, folder: Path) -> Path:
    """Build the wheel of a source tree."""
    folder.mkdir(parents=True, exist_ok=True)
    run_pip("wheel", "--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, source)
    (wheel,) = folder.glob("*.whl")
    return wheel


def run_pip(*arguments: str | Path) -> None:
    """Run pip: the one installed, else the one that Python brings along."""
    environment = {**os.environ, **NO_SETTINGS}
    if importlib.util.find_spec("pip") is None:
        environment["PYTHONPATH"] = str(bundled_pip())
    done = subprocess.run([sys.executable, "-m", "pip", *arguments], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def bundled_pip() -> Path:
    """The wheel of pip that comes with Python; some distributions keep it elsewhere."""
    folders = [Path(ensurepip.__file__).parent / "_bundled", Path(sysconfig.get_config_var("WHEEL_PKG_DIR") or "/none")]
    found = [wheel for folder in folders for wheel in folder.glob("pip-*.whl")]
    if not found:
        pytest.skip("this Python has neither pip nor a wheel of it")
    return found[0]


def with_needs(names: Iterable[str]) -> Iterator[Distribution]:
    """Distributions and all that they need, each once."""
    waiting, seen = [*names], set[str]()
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in seen:
            continue
        seen.add(name)
        try:
            dist = distribution(name)
        except PackageNotFoundError:
            continue  # A need of other platforms or versions.
        yield dist
        needs = [line for line in dist.requires or () if "extra ==" not in line]
        waiting += [match[0] for line in needs if (match := re.match(r"[A-Za-z0-9._-]+", line))]
