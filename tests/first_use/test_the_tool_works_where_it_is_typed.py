"""Installed as a tool from its wheel, doit-fleet drives a project's own interpreter at once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.first_use.installing import Venv, make_venv
from tests.first_use.using import Site

pytestmark = pytest.mark.timeout(240)
"""The first test waits until wheels are built and installed."""

ONE = {"tests.test_one::test_one": "passed"}


def test_the_tool_needs_no_pytest(tool: Venv, site: Site) -> None:
    """Where the tool lives there is no pytest; the project's is used."""
    said = site.fleet()

    assert not (tool.packages / "pytest").exists()
    assert said.code == 0, said.text
    assert site.outcomes() == ONE


@pytest.mark.parametrize("mark", ["pyproject.toml", ".git", ".venv"])
def test_any_folder_of_the_project_will_do(site: Site, mark: str) -> None:
    """From a sub-directory the project is found by its pyproject.toml, its repository or its environment."""
    if mark == "pyproject.toml":
        site.write(mark, '[project]\nname = "x"\n')
    elif mark == ".git":
        (site.root / mark).mkdir()

    said = site.fleet(inside="tests")

    assert said.code == 0, said.text
    assert site.outcomes() == ONE


def test_plain_doit_works_with_one_line(site: Site) -> None:
    """`[tool.doit] loader = "fleet"` makes plain `doit` run the tests, without a dodo.py; `list` shows the tasks."""
    site.write("pyproject.toml", '[tool.doit]\nloader = "fleet"\n')

    said = site.doit()
    listed = site.doit("list", inside=".")

    assert said.code == 0, said.text
    assert site.outcomes() == ONE
    assert {"collect", "gather", "launch"} <= {line.split()[0] for line in listed.text.splitlines()}


def test_other_projects_plain_doit_is_as_it_was(site: Site) -> None:
    """Without that line `doit` in the same environment is doit's own."""
    site.write("dodo.py", "def task_x():\n    return {'actions': ['echo mine'], 'verbosity': 2}\n")

    said = site.doit()

    assert (said.code, said.text) == (0, ".  x\nmine\n")


def test_no_home_is_no_obstacle(site: Site) -> None:
    """Neither an empty home nor one that cannot be written is needed for anything."""
    site.home.rmdir()
    site.home.write_text("a file")

    assert site.fleet().code == 0


def test_the_active_environment_comes_first(site: Site, project_env: Venv, tmp_path: Path) -> None:
    """An activated environment wins over `.venv`, and the answer says so."""
    active = make_venv(tmp_path / "active").link("pytest")

    said = site.fleet("doctor", "--json", VIRTUAL_ENV=str(active.folder))
    (found,) = [check for check in json.loads(said.text)["checks"] if check["name"] == "interpreters"]

    assert str(active.python) in found["text"] and "VIRTUAL_ENV" in found["text"]


def test_without_an_interpreter_the_places_are_named(site: Site) -> None:
    """Nothing is started, and the message lists where an interpreter was looked for and what it lacked."""
    (site.root / ".venv").unlink()
    make_venv(site.root / "venv")

    said = site.fleet()

    assert said.code == 3, said.text
    assert "VIRTUAL_ENV" in said.text and "conda" in said.text and "PATH" in said.text
    assert f"{site.root}/venv/bin/python" in said.text and "has no pytest" in said.text
    assert "hint: activate" in said.text


def test_our_own_interpreter_is_not_taken_by_accident(wheel: Path, site: Site, tmp_path: Path) -> None:
    """A tool's environment that happens to hold pytest, and is first on PATH, is not the project's."""
    (site.root / ".venv").unlink()
    own = make_venv(tmp_path / "own").link("doit", "attrs", "cattrs", "rich", "jinja2", "junitparser", "pytest")
    site.tool = own.install(wheel)
    site.path = f"{own.folder / 'bin'}:{site.path}"

    said = site.fleet()

    assert said.code == 3, said.text
    assert "this is the environment of doit-fleet itself" in said.text


def test_a_project_that_cannot_be_written_is_tested(site: Site) -> None:
    """State and reports go to the cache folder of the user, and nothing appears in the project."""
    before = sorted(path for path in site.root.rglob("*") if ".venv" not in path.parts)
    for folder in (site.root / "tests", site.root):
        folder.chmod(0o555)
    try:
        if _can_write(site.root):
            pytest.skip("this user may write everywhere")
        said = site.fleet()
    finally:
        for folder in (site.root, site.root / "tests"):
            folder.chmod(0o755)

    assert said.code == 0, said.text
    assert sorted(path for path in site.root.rglob("*") if ".venv" not in path.parts) == before


def _can_write(folder: Path) -> bool:
    try:
        (folder / "probe").touch()
    except OSError:
        return False
    (folder / "probe").unlink()
    return True
