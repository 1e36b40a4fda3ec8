"""The examples of docs/commands.md and docs/matrix.md do what the pages say."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.any_command.bench import Bench
from tests.compatibility.project import TEST_SECONDS

pytestmark = pytest.mark.timeout(TEST_SECONDS)

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"


def test_the_first_example(bench: Bench) -> None:
    """Copied from the page, nothing added but the project's name."""
    toml, script = re.findall(r"```(?:toml|sh)\n(.*?)```", PAGE.read_text(), re.DOTALL)[:2]
    bench.write(pyproject__toml=f'[project]\nname = "x"\nversion = "1"\n{toml}', measure__sh=script)

    done = bench.fleet()

    assert done.code == 0, done.output
    assert "2 passed, 1 skipped" in done.output
    assert bench.outcomes()["nozip-5"] == ("skipped", "there is no nozip here")
    sizes = {row["test"]: int(row["bytes"]) for row in bench.metrics()}
    assert sorted(sizes) == ["compress::gzip-1", "compress::gzip-9"]
    assert min(sizes.values()) > 100_000
    assert bench.fleet("-a", "select.paths=gzip*").code == 0
    assert set(bench.outcomes()) == {"gzip-1", "gzip-9"}


def test_the_matrix_of_its_page(bench: Bench) -> None:
    """Settings and file as they are there; each command says what is printed below it."""
    page = (PAGE.parent / "matrix.md").read_text()
    toml, config, told = re.findall(r"```(?:toml)?\n(.*?)```", page, re.DOTALL)[:3]
    bench.write(guests__cfg=config)
    (bench.root / "fleet.toml").write_text(toml.replace("tool.doit-fleet.", ""))
    steps = re.findall(r"^\$ doit-fleet ?(.*?) *#.*\n((?:[^$].*\n)*)", told, re.MULTILINE)

    for typed, wanted in steps:
        done = bench.fleet(*shlex.split(typed))
        assert done.code == 0, done.output
        assert done.output.startswith(wanted.replace("pyproject.toml:5", "fleet.toml:5")), done.output

    assert [typed for typed, _ in steps][-2:] == ["", "select.only='boot..ide, install'"]
    assert "3 passed" in done.output
