"""Keys of TOML files are found by line, whatever else is in the file."""

from __future__ import annotations

import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pipeline.settings.scanning import line_of, scan

SAMPLE = '''\
title = "[no.table]"
text = """
workers.count = 1
[suites.fake]
"""
[tool.doit-fleet.workers]  # [comment]
count = 3

[tool.doit-fleet]
suites."a b".paths = [
  "x",  # count = 9
  "y]",
]
suites.unit = { paths = ["z"], root = '[' }
list = [
  { name = "q" },
]
'last' = 1
'''


def test_headers_and_keys_are_found() -> None:
    """Strings, arrays and comments that look like keys are not."""
    found = scan(SAMPLE)

    base = ("tool", "doit-fleet")
    assert {key: found[key] for key in found if key[0] == "tool"} == {
        (*base, "workers"): 6,
        (*base, "workers", "count"): 7,
        base: 9,
        (*base, "suites", "a b", "paths"): 10,
        (*base, "suites", "unit"): 14,
        (*base, "list"): 15,
        (*base, "last"): 18,
    }
    assert set(found) - {key for key in found if key[0] == "tool"} == {("title",), ("text",)}


def test_a_key_of_an_inline_table_has_the_line_around_it(tmp_path: Any) -> None:
    """The innermost table that is found answers."""
    file = tmp_path / "pyproject.toml"
    file.write_text(SAMPLE)

    assert line_of(str(file), ("tool", "doit-fleet", "suites", "unit", "paths")) == 14
    assert line_of(str(file), ("elsewhere",)) == 0
    assert line_of(str(tmp_path / "missing.toml"), ("a",)) == 0


VALUES = st.sampled_from(
    ['"a = 1"', "[1, 2]", "[\n 1,\n 2]", '"""\nx = 1\n[t]\n"""', "'''\n]]\n'''", "{ a = 1 }", "true # [x]", "'#'"]
)


@given(st.lists(VALUES, min_size=1, max_size=8))
def test_each_key_is_found_on_its_own_line(values: list[str]) -> None:
    """Whatever stands between them."""
    text, lines = "", {}
    for number, value in enumerate(values):
        lines[(f"k{number}",)] = text.count("\n") + 1
        text += f"k{number} = {value}\n"
    assert set(tomllib.loads(text)) == {key[0] for key in lines}

    assert scan(text) == lines
