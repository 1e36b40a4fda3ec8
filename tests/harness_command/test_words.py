"""Whatever tests hold, it never becomes another word, another command or another file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.model.commands import Row
from tests.harness_command.driving import output, result

SHOW = ("python3", "-c", "import sys, json; print(json.dumps(sys.argv[1:]))")
VILE = ["a b", "'; touch pwned; '", '"$(touch pwned)"', "`touch pwned`", "a\nb", "*", "-rf", "${HOME}", "{name}", "é\\"]


@pytest.mark.parametrize("value", VILE)
def test_a_field_stays_within_its_word(tmp_path: Path, value: str) -> None:
    """A list is started as it is: each word is one argument."""
    one = result(tmp_path, (*SHOW, "x={values.v}=y", "{{}}"), Row(name="one", values={"v": value}))

    assert json.loads(output(one)) == [f"x={value}=y", "{}"]
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize("value", VILE)
def test_a_shell_sees_values_as_variables_only(tmp_path: Path, value: str) -> None:
    """The text for the shell is the suite's own to the last letter; even a careless one runs no value as a command."""
    row = Row(name="one", values={"v": value})
    one = result(tmp_path, 'printf %s "$DOIT_FLEET_VALUE_v" > got; : $DOIT_FLEET_VALUE_v; echo ${DOIT_FLEET_TEST}', row)

    assert one["verdict"] == "passed"
    assert (tmp_path / "got").read_text() == value
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize("name", ["../../escape", "/etc/passwd", "a/b", "..", ".", "x" * 500, "-", "a b;c"])
def test_a_name_never_leads_out_of_the_folder_of_its_run(tmp_path: Path, name: str) -> None:
    """The test's own folder is below the run's, whatever it is called."""
    one = result(tmp_path, ("sh", "-c", "echo $DOIT_FLEET_FOLDER"), Row(name=name))

    folder = Path(output(one).strip())
    assert folder.parent == tmp_path / "own" / "run-1"
    assert folder.resolve().parent == folder.parent
    assert folder.name not in (".", "..", "")


def test_fields_are_filled_everywhere(tmp_path: Path) -> None:
    """Words, the folder it starts in and the variables tell the same."""
    (tmp_path / "in here").mkdir()
    row = Row(name="n", values={"v": "in here", "x-y": "1"}, file="f.yaml", line="the line")
    words = (
        "{name}",
        "{file}",
        "{line}",
        "{suite}",
        "{slot}",
        "{worker}",
        "{run}",
        "{attempt}",
        "{env.HOME_OF}",
        "{root}",
    )
    command: tuple[str, ...] = (
        "sh",
        "-c",
        'pwd; echo "$@"; echo $DOIT_FLEET_VALUE_x_y "$DOIT_FLEET_LINE"',
        "-",
        *words,
    )

    one = result(tmp_path, command, row, cwd="{values.v}")
    assert one["message"] == "there is no field {env.HOME_OF} here"
    command = tuple(word.replace("HOME_OF", "HOME") for word in command)
    one = result(tmp_path, command, row, cwd="{values.v}")

    home = Path.home()
    assert output(one).splitlines() == [
        str(tmp_path / "in here"),
        f"n f.yaml the line bench 0 gw0 run-1 1 {home} {tmp_path}",
        "1 the line",
    ]
