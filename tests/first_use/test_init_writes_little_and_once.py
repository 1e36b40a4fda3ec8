"""`doit-fleet init` adds what plain `doit` and ./doitw need, explains it, and destroys nothing."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.first_use.using import Site

pytestmark = pytest.mark.timeout(240)
"""The first test waits until wheels are built and installed."""


def test_a_pyproject_gets_the_loader(site: Site) -> None:
    """The lines are appended, what was there stays, and plain `doit` works."""
    before = '[project]\nname = "mine"  # mine\n'
    site.write("pyproject.toml", before)

    said = site.fleet("init")

    assert said.code == 0, said.text
    assert (site.root / "pyproject.toml").read_text() == before + '\n[tool.doit]\nloader = "fleet"\n'
    assert "plain `doit`" in said.text and "commit it" in said.text
    assert site.doit().code == 0


def test_without_a_pyproject_there_is_a_doit_cfg(site: Site) -> None:
    """A project without pyproject.toml does not get one, only doit's own file; plain `doit` works."""
    said = site.fleet("init")

    assert said.code == 0, said.text
    assert not (site.root / "pyproject.toml").exists()
    assert (site.root / "doit.cfg").read_text() == "[GLOBAL]\nloader = fleet\n"
    assert site.doit().code == 0


@pytest.mark.parametrize("config", ["pyproject.toml", "doit.cfg"])
def test_a_second_time_changes_nothing(site: Site, config: str) -> None:
    """`init` may be typed again at any time."""
    if config == "pyproject.toml":
        site.write(config, "")
    site.fleet("init")
    before = {name: (site.root / name).read_bytes() for name in (config, "doitw")}

    said = site.fleet("init")

    assert said.code == 0, said.text
    assert said.text.count("left as it is") == 2
    assert before == {name: (site.root / name).read_bytes() for name in (config, "doitw")}


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ('[tool.doit]\nloader = "module"\n', "'module'"),
        ("[tool.doit]\nverbosity = 2\n", 'add the line `loader = "fleet"`'),
    ],
    ids=["another loader", "no loader"],
)
def test_settings_of_doit_are_not_touched(site: Site, table: str, told: str) -> None:
    """Where the project has settings for doit, the person is told what to write."""
    site.write("pyproject.toml", table)
    site.write("dodo.py", "")

    said = site.fleet("init")

    assert said.code == 3, said.text
    assert told in said.text
    assert (site.root / "pyproject.toml").read_text() == table
    assert not (site.root / "doitw").exists()


def test_the_wrapper_installs_and_runs(site: Site, wheel: Path, tmp_path: Path) -> None:
    """The `doitw` that is written needs only Python and an index: the first time it installs, later it does not."""
    index = os.environ.get("DOIT_FLEET_WHEELS", "")
    if not index:
        pytest.skip("DOIT_FLEET_WHEELS names no folder with wheels of what doit-fleet needs, or `index`")
    python = shutil.which("python3.11") or shutil.which("python3") or ""
    site.fleet("init")
    shutil.copy(wheel, tmp_path)
    found = {"PIP_FIND_LINKS": f"{tmp_path} {index}" if index != "index" else str(tmp_path), "DOITW_PYTHON": python}
    found["PIP_NO_COMPILE"] = "1"  # Half of the time that installing takes.
    offline = {**found, "PIP_NO_INDEX": "1"}

    first = site.run("./doitw", **(found if index == "index" else offline))
    second = site.run("./doitw", "list", **offline)

    assert first.code == 0, first.text
    assert "installing" in first.text and "installing" not in second.text
    assert second.code == 0, second.text
