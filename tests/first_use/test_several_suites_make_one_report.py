"""Suites with folders and interpreters of their own: one plan, one report."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.first_use.installing import Venv, make_venv
from tests.first_use.using import Site

pytestmark = pytest.mark.timeout(240)
"""The first test waits until wheels are built and installed."""

TELLING = "import sys\ndef test_it(record_property):\n    record_property('prefix', sys.prefix)\n    import mine\n"


@pytest.fixture
def second(tmp_path: Path) -> Venv:
    """Another environment of the user's."""
    return make_venv(tmp_path / "second").link("pytest")


def test_a_monorepo(site: Site, second: Venv) -> None:
    """Each suite runs in its root with its interpreter; equal names of modules do not meet."""
    for part in ("one", "two"):
        site.write(f"{part}/mine.py", "")
        site.write(f"{part}/conftest.py", "")
        site.write(f"{part}/test_it.py", TELLING)
    site.write(
        "fleet.toml",
        f"""\
[suites.one]
root = "one"
[suites.two]
root = "two"
python = "{second.python}"
""",
    )

    said = site.fleet()

    assert said.code == 0, said.text
    assert "2 passed" in said.text
    junit = (site.root / "build/reports/junit.xml").read_text()
    assert junit.count("<testcase ") == 2
    assert str(second.folder) in junit


def test_one_suite_under_several_interpreters(site: Site, second: Venv) -> None:
    """A list of interpreters, even of one version, runs every test under each and keeps them apart."""
    site.write("fleet.toml", f'suites.unit.python = [".venv", "{second.python}"]\n')

    said = site.fleet()

    assert said.code == 0, said.text
    assert "2 passed" in said.text


@pytest.mark.parametrize("version", ["3.8", "3.9", "3.10", "3.12", "3.13", "3.14"])
def test_another_version_of_python(site: Site, version: str, tmp_path: Path) -> None:
    """The project's interpreter may be of another version than ours."""
    try:
        subprocess.run([f"python{version}", "-c", "import venv"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip(f"python{version} is not on PATH")
    other = make_venv(tmp_path / "other", f"python{version}").link("pytest")
    if subprocess.run([other.python, "-m", "pytest", "--version"], capture_output=True, check=False).returncode:
        pytest.skip(f"the pytest of this environment does not run under Python {version}")
    site.write("fleet.toml", f'suites.unit.python = "{other.python}"\n')

    said = site.fleet()

    assert said.code == 0, said.text
    assert "1 passed" in said.text
