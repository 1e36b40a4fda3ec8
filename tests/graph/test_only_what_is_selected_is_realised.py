"""Factories are called for the closure of what a command is about, and for nothing else."""

from __future__ import annotations

import pytest

from tests.graph.conftest import SCRIPT, Project

CHAIN = {"compile", "collect", "group", "launch", "gather"}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["list"], set()),
        (["list", "-q"], set()),
        (["tabcompletion", "--hardcode-tasks"], set()),
        (["tabcompletion", "--shell", "zsh", "--hardcode-tasks"], set()),
        (["forget", "--all"], set()),
        ([], CHAIN),
        (["run"], CHAIN),
        (["-n", "2"], CHAIN),
        (["compile"], {"compile"}),
        (["group"], {"group", "collect", "compile"}),
        (["build/any.plan"], {"group", "collect", "compile"}),
        (["image:77"], {"image:77", "compile"}),
        (["push:2", "image:9"], {"push:2", "image:2", "image:9", "compile"}),
        (["push*"], {"push:1", "push:2", "image:1", "image:2", "compile"}),
        (["push"], {"push:1", "push:2", "image:1", "image:2", "compile"}),
        (["-s", "image:77"], {"image:77", "compile"}),
        (["show", "compile"], set()),
        (["show", "--json", "gather"], set()),
        (["help", "compile"], {"compile"}),
        (["clean"], CHAIN),
        (["clean", "image:3"], {"image:3", "compile"}),
        (["forget", "image:3"], {"image:3", "compile"}),
        (["ignore", "collect"], {"collect", "compile"}),
        (["reset-dep", "compile"], {"compile"}),
        (["list", "image:5"], {"image:5", "compile"}),
        (["list", "push"], set()),
        (["list", "--all", "push"], {"push:1", "push:2", "image:1", "image:2", "compile"}),
        (["list", "-s"], {*CHAIN, "make"}),
    ],
    ids=lambda value: "_".join(value) if isinstance(value, list) else "",
)
def test_a_command_realises_its_closure(project: Project, arguments: list[str], expected: set[str]) -> None:
    """Each command calls the factories it needs, each once."""
    project.doit(*arguments)

    assert expected == project.realised()
    assert ["project"] == project.logged("composed")


def test_info_realises_the_closure_and_says_why(project: Project) -> None:
    """`doit info` needs the closure of one task, and words the reason (its exit code says: would run)."""
    answer = project.doit("info", "image:5", code=1)

    assert {"image:5", "compile"} == project.realised()
    assert "no earlier run is known" in answer.stdout


def test_listing_names_families_and_docs(project: Project) -> None:
    """A family of a million is one line."""
    lines = project.doit("list").stdout.splitlines()

    assert 11 == len(lines)
    assert "push      push images" in lines


def test_dumpdb_shows_what_is_remembered(project: Project) -> None:
    """doit's own reads a dbm file, without even composing; our script's reads our state too."""
    project.doit("--backend", "dbm", "--db-file", "other.db", "compile")
    assert "'compile' -> " in project.doit("dumpdb", "--db-file", "other.db").stdout
    assert [] == project.logged("composed")

    project.doit("compile")
    for name in ("other.db", ".fleet/doit.db"):
        assert "compile" in project.doit("dumpdb", "--db-file", name, tool=SCRIPT).stdout
    assert "compile -> " in project.doit("dumpdb", tool=SCRIPT).stdout


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("gathr", "there is no task 'gathr', did you mean 'gather'?"),
        ("lst", "did you mean 'list'?"),
        ("image:nope", "there is no task 'image:nope'"),
        ("nothing*", "there is no task 'nothing*'"),
        ("sources::test_x", "to choose tests, say select=sources::test_x"),
    ],
)
def test_an_unknown_task_is_a_usage_error(project: Project, word: str, message: str) -> None:
    """The message names what is near."""
    answer = project.doit(word, code=3)

    assert message in answer.stderr
    assert [] == project.ran()


def test_a_family_known_only_later_is_realised_when_its_keys_are_there(project: Project) -> None:
    """`after`: the run reads the keys once the earlier task has run; members are only then realised."""
    project.write("planned", "a b")

    project.doit("late")
    assert ["compile", "collect", "group", "late:a", "late:b"] == project.ran()
    project.doit("late:b")
    assert "late:a" not in project.realised()
    answer = project.doit("late:c", code=3)
    assert "there is no task 'late:c'" in answer.stderr
