"""Wrong settings end with exit code 3, and say what is wrong and what would be right."""

from __future__ import annotations

import json

import pytest

from tests.any_command.bench import Bench
from tests.compatibility.project import TEST_SECONDS

pytestmark = pytest.mark.timeout(TEST_SECONDS)

ROW = 'rows = [{ name = "a", values = { x = 1 } }]\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (ROW, "suite 'bench' has no command"),
        ('command = "touch ran"\n', "says nowhere which tests there are"),
        ('command = "touch ran"\nfiles = ["no/*.yaml"]\n', "no file matches 'no/*.yaml'"),
        ('command = "touch ran"\nlines = ["no.txt"]\n', "pyproject.toml:7 (suites.bench.lines): cannot read the lines of 'no.txt': No such file or directory: '/"),
        ('command = "{line}"\nlines = ["pyproject.toml"]\n', '["sh", "-c", "{line}"] runs each line'),
        (ROW + 'command = ["touch", "{values.y}"]\n', "the field {values.y}, which is not known for row 'a'"),
        (ROW + 'command = ["touch", "{"]\n', "lone brace in '{'"),
        (ROW + 'command = "touch {values.x}"\n', "is a text for the shell, which has no fields"),
        (ROW + 'command = ["touch", "ran"]\nkeep = ["../x"]\n', "keep has '../x'"),
        ('command = "touch ran"\nrows = [{ name = "a" }, { name = "a" }]\n', "two rows are called 'a'"),
        ('command = "touch ran"\nrows = [{ name = "a", dependencies = ["z"] }]\n', "depends on 'z', which is no row"),
        ('command = "touch ran"\nrows = [{ name = "a", dependencies = ["a"] }]\n', "in a circle: 'a' -> 'a'"),
        ('command = "touch ran"\nrows = [{ name = "a", values = { "x.y" = 1, x_y = 2 } }]\n', "become the variable"),
        ('command = "touch ran"\nrows = [{ values = { x = 1 } }]\n', "expected a list of tables"),
        (ROW + 'command = "touch ran"\n[tool.doit-fleet.suites.bench.setups.s]\ncommand = "true"\n', "per group and has no key"),
        (
            ROW + 'command = "touch ran"\n[tool.doit-fleet.suites.bench.setups.s]\nkey="k"\ncommand = ["echo", "{values.x}"]\n',
            "setups.s.command has the field {values.x}",
        ),
        (ROW + 'command = "touch ran"\n[tool.doit-fleet.suites.bench.setups.s]\nper = "run"\nkey = "k"\n', "per run and has a key"),
        (
            ROW + 'command = "touch ran"\n[tool.doit-fleet.suites.bench.setups.s]\nper = "run"\ncommand = ["echo", "{worker}"]\n',
            "setups.s.command has the field {worker}",
        ),
        (ROW + 'command = "touch ran"\nselect.marks = "slow"\n', "have no marks"),
    ],
)  # fmt: skip
def test_a_wrong_suite(bench: Bench, text: str, told: str) -> None:
    """Nothing is started."""
    bench.suite(text)

    done = bench.fleet()

    assert done.code == 3, done.output
    assert told in done.output
    assert "Traceback" not in done.output
    assert not (bench.root / "ran").exists()


def test_settings_of_commands_in_a_suite_of_another_framework(bench: Bench) -> None:
    """They would mean nothing there."""
    bench.suite('rows = [{ name = "a" }]\ncommand = "true"\n')
    path = bench.root / "pyproject.toml"
    path.write_text(path.read_text().replace('"command"', '"pytest"'))

    done = bench.fleet()

    assert done.code == 3, done.output
    assert "suite 'bench' has 'command', but its framework is 'pytest'" in done.output


def test_settings_of_commands_are_shown(bench: Bench) -> None:
    """As a table and as JSON, rows and commands of both forms among them."""
    bench.suite(
        ROW + 'command = ["touch", "ran"]\n[tool.doit-fleet.suites.bench.setups.s]\nper = "worker"\nteardown = "true"\n'
    )

    shown, told = bench.fleet("settings", "suites.bench"), bench.fleet("settings", "--json", "suites.bench.rows")

    assert (shown.code, told.code) == (0, 0), shown.output + told.output
    assert "[touch, ran]" in shown.output
    assert json.loads(told.output)[0]["value"] == [{"name": "a", "values": {"x": "1"}, "dependencies": []}]
