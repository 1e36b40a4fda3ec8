"""Rows become tests in an order that keeps together what shares a set-up, and says what is wrong before anything runs."""

from __future__ import annotations

import json
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from attrs import evolve

from pipeline.errors import UsageError
from pipeline.frameworks.command_rows import (
    Selected,
    Templates,
    digest,
    freeze,
    key_fields,
    line_rows,
    matrix_rows,
)
from pipeline.logic.batching import make_batches
from pipeline.logic.naming import name_tests
from pipeline.model.commands import Row, SetUp


def frozen(rows: list[Row], *setups: SetUp, **more: Any) -> dict[str, Any]:
    """What is written of these rows."""
    selected = Selected(wanted=more.pop("wanted", lambda row: True))
    told: dict[str, Any] = json.loads(freeze("bench", rows, Templates(command=("x",), setups=setups, **more), selected))
    return told


def group(name: str, key: str, **more: Any) -> SetUp:
    """A set-up for a group."""
    return SetUp(name=name, per="group", key=key, **more)


def row(name: str, *needs: str) -> Row:
    """A row whose values are the letters of its name."""
    return Row(name=name, values={"pool": name[0], "size": name[1:2] or "-"}, dependencies=needs)


def names(told: dict[str, Any]) -> list[str]:
    """Of the tests, in order."""
    return [test[0] for test in told["tests"]]


def test_tests_of_one_group_come_together() -> None:
    """The outer group first, the inner one within it, else as they were written."""
    rows = [row("b2"), row("a1"), row("b1"), row("a2"), row("b2x"), row("a1x")]
    told = frozen(rows, group("pool", "{values.pool}"), group("size", "{values.size}"))

    assert names(told) == ["b2", "b2x", "b1", "a1", "a1x", "a2"]
    assert {test[4] for test in told["tests"]} == {"pool=a", "pool=b"}
    assert {test[2] for test in told["tests"]} == {""}


def test_a_group_that_may_not_split_is_one_batch() -> None:
    """It is set up once in the run, so all its tests are claimed together."""
    rows = [row(f"{pool}{n}") for pool in "ab" for n in range(9)]
    told = frozen(rows, group("pool", "{values.pool}", may_split=False), group("size", "{values.size}"))

    tests = [evolve(test, seconds=10) for test in name_tests("bench", told["tests"])]
    batches = make_batches(tests, 8)
    pools = [{told["tests"][at][0][0] for at in batch.tests} for batch in batches]
    assert sorted(map(sorted, pools)) == [["a"], ["b"]]


def test_dependent_rows_are_one_unit_in_order() -> None:
    """What a row needs comes before it, whatever groups they are in; rows without needs stay alone."""
    told = frozen([row("c1", "b1"), row("b1", "a1"), row("x1"), row("a1")], group("pool", "{values.pool}"))

    assert [name for name in names(told) if name != "x1"] == ["a1", "b1", "c1"]
    units = {test[0]: test[2] for test in told["tests"]}
    assert units["a1"] == units["b1"] == units["c1"] != ""
    assert units["x1"] == ""


def test_what_a_selected_row_needs_comes_along() -> None:
    """Else its result would mean something else."""
    told = frozen([row("c1", "b1"), row("b1", "a1"), row("a1"), row("x1")], wanted=lambda one: one.name == "b1")

    assert names(told) == ["a1", "b1"]
    assert told["deselected"] == 2


def test_a_long_chain_of_needs_is_no_trouble() -> None:
    """Thousands of rows, each behind the one before."""
    rows = [row(f"r{n}", f"r{n + 1}") for n in range(5_000)] + [row("r5000")]

    assert names(frozen(rows)) == [f"r{n}" for n in range(5_000, -1, -1)]


def test_lines_keep_their_names_when_others_come_in_between(tmp_path: Path) -> None:
    """Long ones are cut, with a digest that tells them apart; equal ones are counted."""
    (tmp_path / "lines").write_text(f"# c\n  echo\ta  \n\necho a\n{'x' * 300}1\n{'x' * 300}2\n")

    rows = line_rows(tmp_path, "lines")
    told = frozen(rows)

    assert [one.line for one in rows][:2] == ["echo\ta", "echo a"]
    assert names(told)[:2] == ["echo a", "echo a"]
    assert [test[1] for test in told["tests"]] == [0, 1, 0, 0]
    assert len(set(names(told))) == 3
    assert all(len(name) < 200 for name in names(told))


def test_rows_of_a_matrix_come_in_as_they_are() -> None:
    """Anything with names and values; what a row waits for is said beside it. A value of the matrix's own stands."""
    made = [
        SimpleNamespace(name="a.b", shortname="b", values={"mem": "4"}),
        SimpleNamespace(name="a.a", shortname="a", values={"shortname": "own"}),
    ]

    rows = matrix_rows(made, {"a.b": ("a.a",)})

    assert rows == [
        Row(name="a.b", values={"shortname": "b", "mem": "4"}, dependencies=("a.a",)),
        Row(name="a.a", values={"shortname": "own"}),
    ]
    assert names(frozen(rows)) == ["a.a", "a.b"]


def test_equal_rows_have_equal_digests_and_others_not() -> None:
    """The digest names the run."""
    templates = Templates(command=("x",))
    first = freeze("bench", [Row(name="a", values={"x": "1"})], templates, Selected())

    assert digest(first) == digest(freeze("bench", [Row(name="a", values={"x": "1"})], templates, Selected()))
    assert digest(first) != digest(freeze("bench", [Row(name="a", values={"x": "2"})], templates, Selected()))


def test_a_set_up_sees_what_its_group_has_in_common() -> None:
    """Values of its key and of the keys around it, and no others."""
    setups = [group("pool", "{values.pool}"), group("size", "{values.size}", command=("up", "{values.pool}"))]

    assert key_fields(setups, 0) == ["values.pool"]
    assert key_fields(setups, 1) == ["values.pool", "values.size"]
    frozen([row("a1")], *setups)
    with pytest.raises(UsageError, match=r"setups.pool.ready has the field \{values.size\}"):
        frozen([row("a1")], group("pool", "{values.pool}", ready=("is", "{values.size}")), setups[1])


@pytest.mark.parametrize("name", ["", "a\nb", "a\0b", "\x1b[31m"])
def test_a_name_is_one_line(name: str) -> None:
    """Reports and terminals are spared."""
    with pytest.raises(UsageError, match="is no name for a test"):
        frozen([Row(name=name)])


@pytest.mark.parametrize("text", ["echo ${name}", "awk '{print $1}'", "f() { true; }; f", "echo {a,b}"])
def test_braces_of_the_shell_are_the_shells(text: str) -> None:
    """Only what looks like one of our fields is refused."""
    freeze("bench", [row("a1")], Templates(command=text), Selected())


def test_a_hundred_thousand_rows_take_seconds() -> None:
    """A matrix may be large."""
    rows = [Row(name=f"t{n}", values={"pool": str(n % 10), "n": str(n)}) for n in range(100_000)]
    began = time.process_time()

    told = frozen(rows, group("pool", "{values.pool}"))

    assert len(told["tests"]) == 100_000
    assert time.process_time() - began < 5
