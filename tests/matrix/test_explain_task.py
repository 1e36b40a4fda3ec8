"""What `doit explain` prints."""

from __future__ import annotations

import json

import pytest

from pipeline.errors import UsageError
from pipeline.graph.catalog import Catalog
from pipeline.logic.matrix.nodes import Tree
from pipeline.stages import explain
from tests.matrix.given import matrix

TEXT = """
    mem = 1
    variants os:
        - linux:
            mem += 2
        - windows:
            no boot
    variants:
        - @boot:
        - install: boot
"""


def trees() -> dict[str, Tree]:
    """One suite with a matrix."""
    return {"bench": matrix(TEXT).tree()}


def test_a_row_is_told_with_every_statement(capsys: pytest.CaptureFixture[str]) -> None:
    """The one that counts first."""
    explain.explain(trees, False, "bench::install.(os=linux)")

    assert capsys.readouterr().out.splitlines() == [
        "bench::install.(os=linux) runs as 'install.linux'",
        "  after 'boot'",
        "  mem = 12",
        "      <string>:5 in (os=linux): mem += 2",
        "      <string>:2: mem = 1",
        "  os = linux",
        "      <string>:4 in (os=linux): os = linux",
    ]


def test_a_dropped_row_is_told_with_its_filters(capsys: pytest.CaptureFixture[str]) -> None:
    """Each with its line."""
    explain.explain(trees, False, "boot.windows")

    assert capsys.readouterr().out.splitlines() == ["bench::boot.(os=windows) does not run", "  <string>:7: no boot"]


def test_both_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """One document."""
    explain.explain(trees, True, "linux")
    (kept,) = json.loads(capsys.readouterr().out)["tests"]
    explain.explain(trees, True, "boot.windows")
    (dropped,) = json.loads(capsys.readouterr().out)["tests"]

    assert (kept["suite"], kept["name"], kept["runs"]) == ("bench", "boot.(os=linux)", True)
    assert [each["value"] for each in kept["values"]["mem"]["set_by"]] == ["1", "12"]
    assert dropped == {
        "suite": "bench",
        "name": "boot.(os=windows)",
        "runs": False,
        "dropped_by": [{"said": "no boot", "place": "<string>:7"}],
    }


def test_all_names_are_told_where_none_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    """And what matches nothing, which is no error."""

    def remarked() -> dict[str, Tree]:
        return {"bench": matrix(TEXT, "nosuch: mem = 3").tree()}

    explain.explain(remarked, False, "")
    lines = capsys.readouterr().out.splitlines()
    explain.explain(remarked, True, "")
    told = json.loads(capsys.readouterr().out)

    assert lines[:-1] == ["bench::boot.(os=linux)", "bench::install.(os=linux)", "bench::install.(os=windows)"]
    assert lines[-1].startswith("remark: <string>:1: condition 'nosuch' matches nothing")
    assert told["tests"][0] == {"suite": "bench", "name": "boot.(os=linux)", "shortname": "linux"}
    assert [each["place"] for each in told["remarks"]] == ["<string>:1"]


@pytest.mark.parametrize(
    ("given", "test", "message"),
    [
        (dict, "", "no suite has a matrix"),
        (trees, "bench::bot.linux", "no row is called 'bot.linux' .nearest: 'boot"),
        (dict, "a", "no suite has a matrix"),
    ],
)
def test_what_is_not_there_is_a_usage_error(given: explain.Trees, test: str, message: str) -> None:
    """With what may have been meant."""
    with pytest.raises(UsageError, match=message):
        explain.explain(given, False, test)


def test_the_task_is_registered_without_reading_anything() -> None:
    """The catalog realises it later."""
    catalog = Catalog()

    assert explain.register(catalog, lambda: pytest.fail("read too early")).name == "explain"
